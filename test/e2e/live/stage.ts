import type { CallRow } from '../../../src/stand-in/call-row.js';
import type { JournalEntry } from '../../../src/stand-in/journal.js';
import type { DialAnswer } from '../../../src/dial/answer.js';
import { startStandIn } from '../../../src/stand-in/server.js';
import type { StandIn } from '../../../src/stand-in/stand-in.js';
import type { AmiMessage } from '../../lab/ami-observer.js';
import type { AsteriskInstallation } from '../../lab/asterisk-installation.js';
import { freePort } from '../../lab/free-ports.js';
import { Lab } from '../../lab/lab.js';
import { BridgeProcess } from '../../support/bridge-process.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { waitFor } from '../../support/wait-for.js';
import { AGENTS } from './agents.js';
import { DIALS } from './clicking-adapter.js';
import { BY_FAST_AGI, BY_STASIS } from './gate-way.js';

export interface StageOptions {
  /** The interface by which the bridge hears Asterisk; AMI unless told otherwise. */
  readonly over?: 'ami' | 'ari';
  /** Speak TLS to that interface. */
  readonly tls?: boolean;
  /** Login with the right to ask for endpoints, and no `trunks` in the configuration. */
  readonly discoverTrunks?: boolean;
  /** A device state keeps who does not wish to be disturbed; over AMI by a login that may also pause members of queues. */
  readonly doNotDisturb?: boolean;
  /** Be there where the dialplan's gates ask, and tell the queue; dial for agents, through the gate. */
  readonly gate?: boolean;
  /** A second Zammad is told of every call as well. */
  readonly branch?: boolean;
  /** What Zammad takes for each post, one after the other, ms. */
  readonly processingTime?: number;
  /** Another login than the one that has every right it needs. */
  readonly login?: string;
  /** Settings of the bridge that are other than those of the tests. */
  readonly settings?: { readonly gate?: object; readonly calls?: object };
}

/** On the INVITE to the agent who has clicked. The lab's phones are above such things, and wait for a person. */
export const AUTO_ANSWER = { name: 'Call-Info', value: '<sip:pbx.example.com>;answer-after=0' };
const TOKEN = 'live-test-token-012345678';

/**
 * Everything a live scenario needs: phones and carrier → a real Asterisk → a wire that can be cut → the bridge in a
 * process of its own → a stand-in for Zammad.
 */
export class Stage {
  /** In the CTI URL: a secret of the bridge's. */
  readonly token = TOKEN;
  /** By which agents have the bridge dial. */
  readonly #tokens = new Map<string, string>();
  #firstRow = 0;
  #firstRequest = 0;
  #firstEvent = 0;
  #eventsBeforeBoot: readonly AmiMessage[] = [];

  private constructor(
    readonly lab: Lab,
    /** Between the bridge and the interface by which it hears Asterisk. */
    readonly wire: TcpProxy,
    readonly zammad: StandIn,
    readonly bridge: BridgeProcess,
    private readonly over: 'ami' | 'ari',
    private readonly second: StandIn | undefined,
  ) {}

  /** The second Zammad. */
  get branch(): StandIn {
    if (this.second === undefined) throw new Error('this stage has one Zammad only');
    return this.second;
  }

  static async set(installation: AsteriskInstallation, options: StageOptions = {}): Promise<Stage> {
    const lab = await Lab.start(installation);
    const { ami, amiTls, ari, ariTls } = lab.pbx.ports;
    const [plain, safe] = options.over === 'ari' ? [ari, ariTls] : [ami, amiTls];
    const wire = await TcpProxy.start(options.tls === true ? safe : plain);
    const zammad = await startStandIn({ token: TOKEN, processingTime: options.processingTime ?? 0 });
    const branch = options.branch === true ? await startStandIn({ token: TOKEN }) : undefined;
    try {
      const zammads = [zammad, ...(branch === undefined ? [] : [branch])];
      const bridge = await BridgeProcess.start(await configuration(lab, wire, zammads, options));
      return new Stage(lab, wire, zammad, bridge, options.over ?? 'ami', branch);
    } catch (thrown) {
      await Promise.all([wire.close(), zammad.stop(), branch?.stop(), lab.close()]);
      throw thrown;
    }
  }

  /** Makes everything whole again and begins a scenario: what is seen from now on is its own. */
  async begin(): Promise<void> {
    await this.wire.mend();
    for (const zammad of [this.zammad, ...(this.second === undefined ? [] : [this.second])]) {
      await zammad.comeUp();
      zammad.faults.clear();
      zammad.change({ blockList: [], routingTable: [], callerIdKey: 'caller_id' });
    }
    await this.lab.clear();
    if (!this.bridge.running) await this.bridge.launch();
    await this.bridge.ready();
    this.#firstRow = this.zammad.log().length;
    this.#firstRequest = this.zammad.requests().length;
    this.#firstEvent = this.lab.pbx.observer.now;
    this.#eventsBeforeBoot = [];
  }

  /** Rows of this scenario, oldest first. */
  rows(): readonly CallRow[] {
    return this.zammad.log().slice(this.#firstRow);
  }

  /** Posts of this scenario, in the order in which they came. */
  posts(): readonly JournalEntry[] {
    return this.zammad.requests().slice(this.#firstRequest);
  }

  /** What Asterisk has said over its manager interface in this scenario. */
  events(): readonly AmiMessage[] {
    return [...this.#eventsBeforeBoot, ...this.lab.pbx.observer.eventsSince(this.#firstEvent)];
  }

  /** Starts Asterisk again after it was stopped or killed. */
  async bootPbx(): Promise<void> {
    this.#eventsBeforeBoot = this.events();
    await this.lab.pbx.boot();
    this.#firstEvent = 0;
  }

  /** Waits until Zammad shows a call of this scenario with that outside number in that state. */
  shows(number: string, state: CallRow['state'], agent?: string): Promise<CallRow> {
    const wanted = number.replace('+', '');
    return waitFor(
      `Zammad to show the call with ${number} as ${state}${agent === undefined ? '' : ` by ${agent}`}`,
      () =>
        this.rows().find(
          (row) =>
            (row.direction === 'in' ? row.from : row.to) === wanted &&
            row.state === state &&
            (agent === undefined || row.toComment === AGENTS[agent]),
        ),
    );
  }

  /** Waits for an AMI event of this scenario. */
  sees(name: string): Promise<AmiMessage> {
    return this.lab.pbx.observer.sees(name, this.#firstEvent, (event) => event['Event'] === name);
  }

  /** An agent clicks on a number. Settles when the bridge has answered: when the agent has taken it, or why not. */
  async click(
    agent: string,
    number: string,
  ): Promise<{ readonly status: number; readonly answer: Partial<DialAnswer> }> {
    const token = this.#tokens.get(agent) ?? (await this.bridge.command('token', 'create', agent)).trim();
    this.#tokens.set(agent, token);
    const { status, body } = await this.bridge.post('/api/v1/calls', token, { number });
    return { status, answer: body as Partial<DialAnswer> };
  }

  /** The bridge crashes. Resolves when the PBX has noticed: until then its gate would have calls wait. */
  async crash(): Promise<void> {
    await this.bridge.kill();
    if (this.over === 'ami') return;
    const { ports, secret } = this.lab.pbx;
    const authorization = `Basic ${Buffer.from(`bridge:${secret}`).toString('base64')}`;
    await waitFor('Asterisk to forget the application', async () => {
      const url = `http://127.0.0.1:${ports.ari}/ari/applications/zammad`;
      return (await fetch(url, { headers: { authorization } })).status === 404;
    });
  }

  /** Cuts the bridge off from the PBX and waits until it has noticed. */
  async cutWire(): Promise<void> {
    await this.wire.cut();
    await this.bridge.unready();
  }

  async mendWire(): Promise<void> {
    await this.wire.mend();
    await this.bridge.ready();
  }

  async close(): Promise<void> {
    await this.bridge.close();
    await Promise.all([this.wire.close(), this.zammad.stop(), this.second?.stop()]);
    await this.lab.close();
  }
}

async function configuration(
  lab: Lab,
  wire: TcpProxy,
  zammads: readonly StandIn[],
  {
    over = 'ami',
    tls = false,
    discoverTrunks = false,
    gate = false,
    doNotDisturb = false,
    login,
    settings,
  }: StageOptions,
): Promise<Parameters<typeof BridgeProcess.start>[0]> {
  return {
    zammad: zammads.map(({ url }, nth) => ({ name: ['main', 'branch'][nth], url })),
    numbers: { country: 'DE' },
    // A Zammad that hangs is given up soon, so that what waits behind is told within a test's patience.
    ...(gate
      ? {
          calls: { sendQueue: true, ...settings?.calls },
          delivery: { timeout: '3s' },
          // With it before the number the dialplan asks the gate.
          dial: { ringFor: '5s', outsidePrefix: (over === 'ari' ? BY_STASIS : BY_FAST_AGI).prefix },
        }
      : {}),
    ...(settings?.gate === undefined ? {} : { gate: settings.gate }),
    pbx: [
      {
        name: 'office',
        adapter: `asterisk-${over}`,
        host: '127.0.0.1',
        port: wire.port,
        username: login ?? (doNotDisturb && over === 'ami' ? 'bridge-queues' : loginOf(over, discoverTrunks, gate)),
        secret: lab.pbx.secret,
        ...(discoverTrunks ? {} : { trunks: ['trunk'] }),
        ...(doNotDisturb ? { doNotDisturb: { deviceState: 'Custom:DND{extension}' } } : {}),
        ...(gate ? { gate: over === 'ari' ? {} : { port: lab.pbx.ports.gate }, dial: DIALS } : {}),
        ...(tls ? { tls: { ca: lab.pbx.caFile } } : {}),
      },
    ],
    agents: Object.entries(AGENTS).map(([extension, name]) => ({ extension, name, autoAnswer: AUTO_ANSWER })),
    http: { host: '127.0.0.1', port: await freePort() },
    log: { level: 'debug' },
  };
}

function loginOf(over: 'ami' | 'ari', discoverTrunks: boolean, gate: boolean): string {
  if (over === 'ari') return 'bridge';
  return discoverTrunks ? 'bridge-system' : gate ? 'bridge-dial' : 'bridge';
}
