/** An Asterisk with calls of its own: says the events of a real one and answers Status and BridgeList from the same state. */
import { FakeAmi, type Headers, type ListReply, type ReceivedAction } from './fake-ami.js';
import type { ConformancePbx } from '../conformance/adapter-conformance.js';

interface Channel {
  readonly name: string;
  readonly uniqueid: string;
  readonly linkedid: string;
  readonly callerId: string;
  readonly dnid: string;
  state: 'Ring' | 'Ringing' | 'Up';
  bridge: string;
}

const STATES = { Ring: '4', Ringing: '5', Up: '6' } as const;
const PASSWORD = 'conformance-password';
const WRONG_PASSWORD = 'wrong-conformance-password';

export class ActingAsterisk implements ConformancePbx {
  readonly #calls = new Map<string, { readonly trunk: Channel; readonly phone: Channel }>();
  #next = 0;
  #cutSnapshot = false;
  readonly #port: number;

  private constructor(private readonly ami: FakeAmi) {
    this.#port = ami.port;
  }

  static async start(): Promise<ActingAsterisk> {
    const answer = (action: ReceivedAction): Headers | ListReply | undefined => acting.#answer(action);
    const acting: ActingAsterisk = new ActingAsterisk(
      await FakeAmi.start({ username: 'bridge', secret: PASSWORD, answer }),
    );
    return acting;
  }

  get settings(): Readonly<Record<string, unknown>> {
    return {
      host: '127.0.0.1',
      port: this.#port,
      username: 'bridge',
      secret: PASSWORD,
      trunks: ['trunk'],
      dial: { context: 'from-internal' },
    };
  }
  get wrongLogin(): { readonly settings: Readonly<Record<string, unknown>>; readonly password: string } {
    return { settings: { ...this.settings, secret: WRONG_PASSWORD }, password: WRONG_PASSWORD };
  }
  connections(): { now: number; ever: number } {
    return { now: this.ami.open.length, ever: this.ami.connections.length };
  }

  ring(): string {
    const trunk = this.#channel('PJSIP/trunk', '+4930123456', '+4930555100', 'Ring');
    const phone = this.#channel('PJSIP/100', '100', '', 'Ringing', trunk.uniqueid);
    this.#calls.set(trunk.uniqueid, { trunk, phone });
    this.#say('Newchannel', channelHeaders(trunk), [['Exten', trunk.dnid]]);
    this.#say('Newchannel', [
      ['Channel', phone.name],
      ['ChannelState', '0'],
      ['Uniqueid', phone.uniqueid],
      ['Linkedid', phone.linkedid],
    ]);
    this.#say('DialBegin', channelHeaders(trunk), [
      ['DestChannel', phone.name],
      ['DestUniqueid', phone.uniqueid],
      ['DialString', '100'],
    ]);
    return trunk.uniqueid;
  }
  answer(call: string): void {
    const { trunk, phone } = this.#find(call);
    for (const channel of [phone, trunk]) {
      channel.state = 'Up';
      channel.bridge = `bridge-of-${call}`;
      this.#say('Newstate', channelHeaders(channel));
    }
    for (const channel of [phone, trunk])
      this.#say('BridgeEnter', channelHeaders(channel), [
        ['BridgeUniqueid', channel.bridge],
        ['BridgeTechnology', 'simple_bridge'],
      ]);
  }
  hangUp(call: string): void {
    const { trunk, phone } = this.#find(call);
    this.#calls.delete(call);
    this.#say('HangupRequest', channelHeaders(trunk));
    for (const channel of [trunk, phone]) this.#say('Hangup', channelHeaders(channel), [['Cause', '16']]);
  }

  cut(): void {
    for (const connection of this.ami.open) connection.destroy();
  }
  mute(): void {
    this.ami.faults = { mute: true };
  }
  cutNextSnapshot(): void {
    this.#cutSnapshot = true;
  }
  stop(): Promise<void> {
    return this.ami.close();
  }

  #find(call: string): { readonly trunk: Channel; readonly phone: Channel } {
    const found = this.#calls.get(call);
    if (found === undefined) throw new Error(`there is no call ${call}`);
    return found;
  }
  #channel(device: string, callerId: string, dnid: string, state: Channel['state'], linkedid?: string): Channel {
    this.#next += 1;
    const uniqueid = `1700000000.${String(this.#next)}`;
    return {
      name: `${device}-${this.#next.toString(16).padStart(8, '0')}`,
      uniqueid,
      linkedid: linkedid ?? uniqueid,
      callerId,
      dnid,
      state,
      bridge: '',
    };
  }
  #say(event: string, ...headers: Headers[]): void {
    this.ami.broadcast(
      `${[['Event', event] as const, ...headers.flat()].map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n`,
    );
  }

  #answer(action: ReceivedAction): Headers | ListReply | undefined {
    const channels = [...this.#calls.values()].flatMap(({ trunk, phone }) => [trunk, phone]);
    if (action.name === 'bridgelist') {
      const bridges = [...new Set(channels.map(({ bridge }) => bridge))].filter((bridge) => bridge !== '');
      return {
        items: bridges.map((bridge) => [
          ['Event', 'BridgeListItem'],
          ['BridgeUniqueid', bridge],
          ['BridgeTechnology', 'simple_bridge'],
        ]),
        complete: 'BridgeListComplete',
      };
    }
    if (action.name === 'status' && action.get('channel') === '') {
      const cutAfter = this.#cutSnapshot ? { cutAfter: 1 } : {};
      this.#cutSnapshot = false;
      const items = channels.map(
        (channel): Headers => [
          ['Event', 'Status'],
          ...channelHeaders(channel),
          ['DNID', channel.dnid],
          ['BridgeID', channel.bridge],
          ['Application', channel.dnid === '' ? 'AppDial' : 'Dial'],
          ['Data', ''],
        ],
      );
      return { items, complete: 'StatusComplete', ...cutAfter };
    }
    if (action.name === 'hangup')
      return [
        ['Response', 'Error'],
        ['Message', 'No such channel'],
      ];
    return undefined;
  }
}

const channelHeaders = (channel: Channel): Headers => [
  ['Channel', channel.name],
  ['ChannelState', STATES[channel.state]],
  ['ChannelStateDesc', channel.state],
  ['CallerIDNum', channel.callerId],
  ['ConnectedLineNum', '<unknown>'],
  ['Uniqueid', channel.uniqueid],
  ['Linkedid', channel.linkedid],
];
