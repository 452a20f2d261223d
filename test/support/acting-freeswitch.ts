/** A FreeSWITCH with calls of its own: says the events of a real one and answers `show channels` and `uuid_dump` from the same state. */
import { randomUUID } from 'node:crypto';
import { readJsonEvent } from '../../adapters/freeswitch/event.js';
import type { ConformancePbx } from '../conformance/adapter-conformance.js';
import { type ApiAnswer, type EventHeaders, FakeFreeSwitch } from './fake-freeswitch.js';
import { FreeSwitchState } from './freeswitch-state.js';

const PASSWORD = 'conformance-password';
const WRONG_PASSWORD = 'wrong-conformance-password';

interface Call {
  readonly trunk: EventHeaders;
  readonly phone: EventHeaders;
}

export class ActingFreeSwitch implements ConformancePbx {
  readonly #calls = new Map<string, Call>();
  readonly #state = new FreeSwitchState();
  #sequence = 0;
  #cutSnapshot = false;
  readonly #port: number;

  private constructor(readonly esl: FakeFreeSwitch) {
    this.#port = esl.port;
  }

  static async start(): Promise<ActingFreeSwitch> {
    const api = (command: string): ApiAnswer | undefined => acting.#answer(command);
    const acting: ActingFreeSwitch = new ActingFreeSwitch(await FakeFreeSwitch.start({ password: PASSWORD, api }));
    return acting;
  }

  get settings(): Readonly<Record<string, unknown>> {
    return { host: '127.0.0.1', port: this.#port, password: PASSWORD, dial: { context: 'default' } };
  }
  get wrongLogin(): { readonly settings: Readonly<Record<string, unknown>>; readonly password: string } {
    return { settings: { ...this.settings, password: WRONG_PASSWORD }, password: WRONG_PASSWORD };
  }
  connections(): { now: number; ever: number } {
    return { now: this.esl.open.length, ever: this.esl.connections.length };
  }

  ring(): string {
    const call = randomUUID();
    const trunk: EventHeaders = [
      ['Unique-ID', call],
      ['Channel-Name', 'sofia/external/+4930123456@127.0.0.1'],
      ['Call-Direction', 'inbound'],
      ['Caller-Caller-ID-Number', '+4930123456'],
      ['Caller-Destination-Number', '+4930555100'],
    ];
    const phone: EventHeaders = [
      ['Unique-ID', randomUUID()],
      ['Channel-Name', 'sofia/internal/1000@127.0.0.1'],
      ['Call-Direction', 'outbound'],
      ['Caller-Caller-ID-Number', '+4930123456'],
      ['Caller-Destination-Number', '1000'],
      ['variable_dialed_user', '1000'],
      ['variable_originator', call],
    ];
    this.#calls.set(call, { trunk, phone });
    for (const leg of [trunk, phone]) this.#say('CHANNEL_CREATE', leg, [['Answer-State', 'ringing']]);
    return call;
  }
  answer(call: string): void {
    const { trunk, phone } = this.#find(call);
    const answered: EventHeaders = [['Answer-State', 'answered']];
    for (const leg of [phone, trunk]) this.#say('CHANNEL_ANSWER', leg, answered);
    this.#say('CHANNEL_BRIDGE', trunk, [...answered, ...pair(trunk, phone)]);
  }
  hangUp(call: string): void {
    const { trunk, phone } = this.#find(call);
    this.#calls.delete(call);
    this.#say('CHANNEL_UNBRIDGE', trunk, pair(trunk, phone));
    for (const leg of [phone, trunk]) {
      this.#say('CHANNEL_HANGUP_COMPLETE', leg, [
        ['Answer-State', 'hangup'],
        ['Hangup-Cause', 'NORMAL_CLEARING'],
        ['variable_sip_hangup_disposition', leg === trunk ? 'recv_bye' : 'send_bye'],
      ]);
    }
  }

  cut(): void {
    for (const connection of this.esl.open) connection.destroy();
  }
  mute(): void {
    this.esl.faults = { mute: true };
  }
  cutNextSnapshot(): void {
    this.#cutSnapshot = true;
  }
  stop(): Promise<void> {
    return this.esl.close();
  }

  #find(call: string): Call {
    const found = this.#calls.get(call);
    if (found === undefined) throw new Error(`there is no call ${call}`);
    return found;
  }

  #say(name: string, leg: EventHeaders, more: EventHeaders): void {
    this.#sequence += 1;
    const headers: EventHeaders = [
      ['Event-Name', name],
      ['Core-UUID', this.esl.coreUuid],
      ['Event-Sequence', String(this.#sequence)],
      ...leg,
      ...more,
    ];
    const event = readJsonEvent(JSON.stringify(Object.fromEntries(headers)));
    if (event !== undefined) this.#state.push(event);
    this.esl.say(headers);
  }

  #answer(command: string): ApiAnswer | undefined {
    if (command === 'show channels as json') {
      const list = this.#state.showChannels();
      const cut = this.#cutSnapshot;
      this.#cutSnapshot = false;
      return cut ? { cut: list } : list;
    }
    const [word = '', id = ''] = command.split(' ');
    if (word === 'uuid_dump') return this.#state.describe(id);
    return word === 'uuid_kill' ? '-ERR No such channel!\n' : undefined;
  }
}

const idOf = (leg: EventHeaders): string => leg[0]?.[1] ?? '';
const pair = (a: EventHeaders, b: EventHeaders): EventHeaders => [
  ['Bridge-A-Unique-ID', idOf(a)],
  ['Bridge-B-Unique-ID', idOf(b)],
];
