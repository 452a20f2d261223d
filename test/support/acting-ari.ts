/** An Asterisk with calls of its own: says the events of a real one over ARI and answers the lists from the same state. */
import type { ConformancePbx } from '../conformance/adapter-conformance.js';
import { type AriAnswer, type AriQuestion, FakeAri } from './fake-ari.js';
import { FakeFunctions } from './fake-functions.js';

interface Channel {
  readonly id: string;
  readonly name: string;
  readonly number: string;
  /** The number dialled, on a channel that came in; else ''. */
  readonly dnid: string;
  readonly linked: string;
  state: 'Down' | 'Ring' | 'Ringing' | 'Up';
  bridge: string;
}

const PASSWORD = 'conformance-password';
const WRONG_PASSWORD = 'wrong-conformance-password';

export class ActingAri implements ConformancePbx {
  readonly #calls = new Map<string, { readonly trunk: Channel; readonly phone: Channel }>();
  #next = 0;
  /** The connection whose lists break off, of those that ever were. */
  #cutSnapshotOf = -1;

  readonly #functions = new FakeFunctions(() => this.ari);

  private constructor(readonly ari: FakeAri) {
    this.#port = ari.port;
  }
  readonly #port: number;

  static async start(): Promise<ActingAri> {
    const acting = new ActingAri(await FakeAri.start({ secret: PASSWORD }));
    acting.ari.answer = (question) => acting.#answer(question);
    return acting;
  }

  get settings(): Readonly<Record<string, unknown>> {
    return {
      host: '127.0.0.1',
      port: this.#port,
      username: 'bridge',
      secret: PASSWORD,
      trunks: ['trunk'],
      gate: {},
      dial: { context: 'from-internal' },
      doNotDisturb: { deviceState: 'Custom:DND{extension}' },
    };
  }
  get wrongLogin(): { readonly settings: Readonly<Record<string, unknown>>; readonly password: string } {
    return { settings: { ...this.settings, secret: WRONG_PASSWORD }, password: WRONG_PASSWORD };
  }
  connections(): { now: number; ever: number } {
    return this.ari.connections();
  }

  ring(): string {
    const trunk = this.#channel('PJSIP/trunk', '+4930123456', '+4930555100', 'Ring');
    const phone = this.#channel('PJSIP/100', '100', '', 'Down', trunk.id);
    this.#calls.set(trunk.id, { trunk, phone });
    for (const channel of [trunk, phone]) this.#say('ChannelCreated', { channel: told(channel) });
    this.#say('Dial', { dialstatus: '', dialstring: '100', caller: told(trunk), peer: told(phone) });
    phone.state = 'Ringing';
    this.#say('ChannelStateChange', { channel: told(phone) });
    return trunk.id;
  }
  answer(call: string): void {
    const { trunk, phone } = this.#find(call);
    for (const channel of [phone, trunk]) {
      channel.state = 'Up';
      this.#say('ChannelStateChange', { channel: told(channel) });
    }
    for (const channel of [phone, trunk]) {
      channel.bridge = `bridge-of-${call}`;
      this.#say('ChannelEnteredBridge', { bridge: this.#bridge(channel.bridge), channel: told(channel) });
    }
  }
  hangUp(call: string): void {
    const { trunk, phone } = this.#find(call);
    this.#calls.delete(call);
    this.#say('ChannelHangupRequest', { cause: 16, channel: told(trunk) });
    for (const channel of [trunk, phone])
      this.#say('ChannelDestroyed', { cause: 16, cause_txt: 'Normal Clearing', channel: told(channel) });
  }

  cut(): void {
    this.ari.cut();
  }
  mute(): void {
    this.ari.mute = true;
  }
  cutNextSnapshot(): void {
    this.#cutSnapshotOf = this.ari.connections().ever + 1;
  }
  stop(): Promise<void> {
    return this.ari.close();
  }

  #find(call: string): { readonly trunk: Channel; readonly phone: Channel } {
    const found = this.#calls.get(call);
    if (found === undefined) throw new Error(`there is no call ${call}`);
    return found;
  }
  #channel(device: string, number: string, dnid: string, state: Channel['state'], linked?: string): Channel {
    this.#next += 1;
    const id = `1700000000.${this.#next}`;
    const name = `${device}-${this.#next.toString(16).padStart(8, '0')}`;
    return { id, name, number, dnid, linked: linked ?? id, state, bridge: '' };
  }
  #say(type: string, fields: object): void {
    this.ari.say({ type, ...fields });
  }
  #channels(): readonly Channel[] {
    return [...this.#calls.values()].flatMap(({ trunk, phone }) => [trunk, phone]);
  }
  #bridge(id: string): object {
    const channels = this.#channels().filter(({ bridge }) => bridge === id);
    return { id, technology: 'simple_bridge', bridge_type: 'mixing', channels: channels.map((channel) => channel.id) };
  }

  #answer(question: AriQuestion): AriAnswer | undefined {
    const { path, query } = question;
    if (path === '/applications/zammad/eventFilter') return { body: { name: 'zammad' } };
    if (path === '/endpoints')
      return { body: ['trunk', '100'].map((resource) => ({ technology: 'PJSIP', resource, state: 'online' })) };
    if (path === '/bridges') {
      const ids = new Set(this.#channels().flatMap(({ bridge }) => (bridge === '' ? [] : [bridge])));
      return { body: [...ids].map((id) => this.#bridge(id)) };
    }
    if (path === '/channels') {
      return { body: this.#channels().map(told), cut: this.#cutSnapshotOf === this.ari.connections().ever };
    }
    const ofFunctions = this.#functions.answer(question);
    if (ofFunctions !== undefined) return ofFunctions;
    const [, id] = /^\/channels\/([^/]+)\/variable$/.exec(path) ?? [];
    if (id === undefined) return undefined;
    const channel = this.#channels().find((one) => one.id === id);
    if (channel === undefined) return { status: 404, body: { message: 'Provided channel was not found' } };
    const value = { 'CHANNEL(linkedid)': channel.linked, 'CALLERID(dnid)': channel.dnid, 'CALLERID(pres)': 'allowed' }[
      query.get('variable') ?? ''
    ];
    return value === undefined
      ? { status: 404, body: { message: 'Provided variable was not found' } }
      : { body: { value } };
  }
}

const told = ({ id, name, number, dnid, state }: Channel): object => ({
  id,
  name,
  state,
  caller: { name: '', number },
  connected: { name: '', number: '' },
  dialplan: {
    context: 'from-trunk',
    exten: dnid === '' ? '100' : dnid,
    priority: 1,
    app_name: dnid === '' ? 'AppDial' : 'Dial',
    app_data: '',
  },
});
