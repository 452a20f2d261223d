import { credentialOf, credentialRow } from './credential-rows.js';
import type { Credential, Credentials } from './credentials.js';
import type { Input, OperationName, Output } from './protocol.js';

/** The credentials in a database, asked for through the worker. */
export class DurableCredentials implements Credentials {
  constructor(
    private readonly ask: <Name extends OperationName>(name: Name, input: Input<Name>) => Promise<Output<Name>>,
  ) {}

  add(credential: Credential): Promise<boolean> {
    return this.ask('addCredential', credentialRow(credential));
  }
  async find(id: string, now: number): Promise<Credential | undefined> {
    const row = await this.ask('findCredential', { id, now });
    return row === undefined ? undefined : credentialOf(row);
  }
  async tokens(agent?: string): Promise<readonly Credential[]> {
    return (await this.ask('tokens', { agent })).map(credentialOf);
  }
  async revoke(id: string): Promise<Credential | undefined> {
    const row = await this.ask('revokeCredential', { id });
    return row === undefined ? undefined : credentialOf(row);
  }
}
