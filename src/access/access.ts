/** Who an agent is, by his token or by a session that was begun with it. */
import { createHmac } from 'node:crypto';
import type { Clock } from '../clock.js';
import type { Credential, Credentials, CredentialKind } from '../store/credentials.js';
import { hashOf, isSame, mint, readSecret } from './secret-text.js';

export interface AccessOptions {
  readonly credentials: Credentials;
  readonly clock: Clock;
  /** The name of the agent with this extension; undefined: the configuration has none (any more). */
  readonly nameOf: (extension: string) => string | undefined;
}

/** An agent, of whom is sure that it is he. */
export interface SignedIn {
  /** His extension. */
  readonly agent: string;
  readonly name: string;
  /** The id of the token or session. */
  readonly credential: string;
  /** Of a session: what its own page sends along with every order, and no other page can know. */
  readonly csrf?: string | undefined;
}

export interface NewSession extends SignedIn {
  /** For the cookie. */
  readonly text: string;
  /** ms from now. */
  readonly lasts: number;
}

/** A browser is signed in for so long. */
const SESSION_MS = 90 * 24 * 3_600_000;

/** Every question rejects with a RetriableError when the store cannot be asked now. */
export class Access {
  constructor(private readonly options: AccessOptions) {}

  /** Undefined: it is no token, was revoked, or its agent is not configured any more. */
  async byToken(text: string): Promise<SignedIn | undefined> {
    const found = await this.#find('token', text);
    return found === undefined ? undefined : this.#agentOf(found.credential);
  }

  async bySession(text: string): Promise<SignedIn | undefined> {
    const found = await this.#find('session', text);
    const agent = found === undefined ? undefined : this.#agentOf(found.credential);
    return found === undefined || agent === undefined ? undefined : { ...agent, csrf: csrfOf(found.secret) };
  }

  /**
   * Begins a session, which ends with its token at the latest.
   * @param before the session that the browser has had until now: it ends.
   */
  async signIn(token: string, before?: string): Promise<NewSession | undefined> {
    const found = await this.#find('token', token);
    const agent = found === undefined ? undefined : this.#agentOf(found.credential);
    if (found === undefined || agent === undefined) return undefined;
    const { id, text, hash } = mint('session');
    const now = this.options.clock.wall();
    const { id: parent, agent: extension } = found.credential;
    const added = await this.options.credentials.add({
      id,
      kind: 'session',
      agent: extension,
      hash,
      parent,
      createdAt: now,
      expiresAt: now + SESSION_MS,
    });
    if (!added) return undefined;
    const old = before === undefined ? undefined : await this.#find('session', before);
    if (old !== undefined) await this.options.credentials.revoke(old.credential.id);
    const csrf = csrfOf(readSecret('session', text)?.secret ?? '');
    return { ...agent, credential: id, csrf, text, lasts: SESSION_MS };
  }

  async signOut({ credential }: SignedIn): Promise<void> {
    await this.options.credentials.revoke(credential);
  }

  async #find(
    kind: CredentialKind,
    text: string,
  ): Promise<{ readonly credential: Credential; readonly secret: string } | undefined> {
    const read = readSecret(kind, text);
    if (read === undefined) return undefined;
    const { credentials, clock } = this.options;
    const credential = await credentials.find(read.id, clock.wall());
    if (credential?.kind !== kind || !isSame(credential.hash, hashOf(read.secret))) return undefined;
    return { credential, secret: read.secret };
  }

  #agentOf({ agent, id }: Credential): SignedIn | undefined {
    const name = this.options.nameOf(agent);
    return name === undefined ? undefined : { agent, name, credential: id };
  }
}

const csrfOf = (secret: string): string => createHmac('sha256', secret).update('csrf').digest('base64url');
