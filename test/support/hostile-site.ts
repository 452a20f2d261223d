/** The program as its users run it, at an Asterisk of each interface and at a Zammad, all of which may turn hostile. */
import { startStandIn } from '../../src/stand-in/server.js';
import type { StandIn } from '../../src/stand-in/stand-in.js';
import { freePort } from '../lab/free-ports.js';
import { AgiCall, type AgiCallOptions } from './agi-caller.js';
import { BridgeProcess } from './bridge-process.js';
import type { FakeAmi } from './fake-ami.js';
import { StasisCaller } from './stasis-caller.js';
import { within } from './wait-for.js';
import { quietAsterisk } from './whole-bridge.js';

export const BLOCKED = '491711234567';
const SECRET = 'hostile-test-secret';
const dial = { context: 'from-internal' };

export class HostileSite {
  private constructor(
    readonly bridge: BridgeProcess,
    readonly zammad: StandIn,
    readonly manager: FakeAmi,
    readonly stasis: StasisCaller,
    readonly gatePort: number,
    /** That of agent 100, whose PBX is heard over AMI, and of agent 101, over ARI. */
    readonly tokens: readonly [ami: string, ari: string],
  ) {}

  static async start(): Promise<HostileSite> {
    const [manager, stasis] = await Promise.all([quietAsterisk({ secret: SECRET }), StasisCaller.start(SECRET)]);
    const zammad = await startStandIn({ blockList: [BLOCKED] });
    const gatePort = await freePort();
    const common = { host: '127.0.0.1', username: 'bridge', secret: SECRET, trunks: ['trunk'], dial };
    const bridge = await BridgeProcess.start({
      zammad: [{ name: 'main', url: zammad.url }],
      numbers: { country: 'DE' },
      pbx: [
        { ...common, name: 'office', adapter: 'asterisk-ami', port: manager.port, gate: { port: gatePort } },
        { ...common, name: 'branch', host: 'localhost', adapter: 'asterisk-ari', port: stasis.ari.port, gate: {} },
      ],
      agents: [
        { extension: '100', name: 'Alice', pbx: 'office' },
        { extension: '101', name: 'Bob', pbx: 'branch' },
      ],
      // Tests run side by side on busy machines; what hangs would hold a call for longer.
      gate: { budget: '2s' },
      dial: { rate: 1_000, ringFor: '3s' },
      delivery: { drain: '100ms', timeout: '1s' },
      http: { host: '127.0.0.1', port: await freePort() },
    });
    const tokenOf = async (agent: string): Promise<string> => (await bridge.command('token', 'create', agent)).trim();
    return new HostileSite(bridge, zammad, manager, stasis, gatePort, [await tokenOf('100'), await tokenOf('101')]);
  }

  async close(): Promise<void> {
    await this.bridge.close();
    await Promise.all([this.manager.close(), this.stasis.close(), this.zammad.stop()]);
  }

  /** A call that waits at the FastAGI gate, until the dialplan goes on. */
  async asksByAgi(options: Partial<AgiCallOptions> = {}): Promise<ReadonlyMap<string, string>> {
    const call = await AgiCall.open({ port: this.gatePort, ...options });
    await within(5_000, 'the dialplan to go on', call.over);
    return call.set;
  }

  /** Throws unless both gates still turn a blocked caller away, as if nothing had been. */
  async worksOn(id: string): Promise<void> {
    const set = await this.asksByAgi({ fields: { uniqueid: `${id}.1` } });
    if (set.get('ZAMMAD_ACTION') !== 'reject')
      throw new Error(`the dialplan found ${JSON.stringify([...set])}: ${this.bridge.log.slice(-2_000)}`);
    const { how } = await within(5_000, 'the call to be over', this.stasis.call({ id: `${id}.2` }));
    if (how !== 'hung up') throw new Error(`the blocked caller was let on (${how})`);
  }

  /** What is wrong with the log: a line that is no line of ours, a defect, a secret. */
  logTroubles(): readonly string[] {
    // Of a long log the end is kept, and of its first line perhaps a part.
    const lines = this.bridge.log
      .split('\n')
      .slice(1)
      .filter((line) => line !== '');
    const odd = lines.filter((line) => !line.startsWith('{"level":"') || !isJson(line));
    const faults = lines.filter((line) => /^\{"level":"(?:error|fatal)"/.test(line));
    const secrets = [SECRET, ...this.tokens.map((token) => token.slice(-43))];
    return [...odd, ...faults, ...lines.filter((line) => secrets.some((secret) => line.includes(secret)))];
  }
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
