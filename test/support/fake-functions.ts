/** What an Asterisk keeps that ARI tells on a channel only: custom device states, and the contacts of phones. */
import type { AriAnswer, AriQuestion, FakeAri } from './fake-ari.js';

const DONE: AriAnswer = { status: 204 };
const UNREADABLE: AriAnswer = { status: 500, body: { message: 'Unable to read provided function' } };
const ASKING = /^\/channels\/(zpb-ask-[^/]+)(\/variable)?$/;

export class FakeFunctions {
  readonly states = new Map<string, string>();
  /** By the endpoint. */
  readonly contacts = new Map<string, readonly string[]>();
  /** `func_devstate.so`, `func_db.so`: without them nobody can read them, and what is set is lost without a word. */
  readonly unloaded = new Set<'DEVICE_STATE' | 'DB_KEYS'>();
  readOnly = false;
  /** What is changed is told over the events. */
  tells = true;
  /** Channels that somebody asks on now, and all there were. */
  readonly asking = new Set<string>();
  asked = 0;

  constructor(private readonly ari: () => FakeAri | undefined) {}

  /** Somebody sets it: at a phone, in the dialplan, over ARI. Asterisk tells what is new. */
  set(device: string, state: string): void {
    if (this.states.get(device) === state) return;
    this.states.set(device, state);
    if (this.tells) this.ari()?.say({ type: 'DeviceStateChanged', device_state: { name: device, state } });
  }

  /** undefined: a question about something else. */
  answer({ method, path, query }: AriQuestion): AriAnswer | undefined {
    const variable = query.get('variable') ?? '';
    if (this.readOnly && method !== 'GET') return { status: 403, body: { message: 'Write access denied' } };
    if (method === 'POST' && path === '/asterisk/variable') {
      const device = /^DEVICE_STATE\((.*)\)$/.exec(variable)?.[1];
      if (device !== undefined && !this.unloaded.has('DEVICE_STATE')) this.set(device, query.get('value') ?? '');
      return DONE;
    }
    if (method === 'POST' && path === '/channels/create') return this.#create(query.get('channelId') ?? '');
    const [, id, ofVariable] = ASKING.exec(path) ?? [];
    if (id === undefined) return undefined;
    if (!this.asking.has(id)) return { status: 404, body: { message: 'Channel not found' } };
    if (method === 'DELETE') {
      this.asking.delete(id);
      this.#say('ChannelDestroyed', id);
      return DONE;
    }
    if (ofVariable === undefined) return undefined;
    return method === 'POST' ? DONE : this.#read(variable);
  }

  #create(id: string): AriAnswer {
    this.asking.add(id);
    this.asked += 1;
    this.#say('ChannelCreated', id);
    this.#say('StasisStart', id);
    return { body: { id } };
  }

  /** As Asterisk does of a Local channel. */
  #say(type: string, id: string): void {
    const dialplan = { context: 'zammad-pbx-bridge', exten: 'ask', priority: 1, app_name: '', app_data: '' };
    const channel = { id, name: 'Local/ask@zammad-pbx-bridge-00000001;1', state: 'Down', dialplan };
    this.ari()?.say({ type, args: [], channel });
  }

  #read(variable: string): AriAnswer {
    const [, name = '', argument = ''] = /^(\w+)\((.*)\)$/.exec(variable) ?? [];
    if (name === 'DB_KEYS' && !this.unloaded.has('DB_KEYS'))
      return { body: { value: [...this.states.keys()].map((device) => device.replace('Custom:', '')).join() } };
    if (name === 'DEVICE_STATE' && !this.unloaded.has('DEVICE_STATE'))
      return { body: { value: this.states.get(argument) ?? 'UNKNOWN' } };
    const contacts = this.contacts.get(argument);
    if (name !== 'PJSIP_DIAL_CONTACTS' || contacts === undefined) return UNREADABLE;
    return { body: { value: contacts.map((uri) => `PJSIP/${argument}/${uri}`).join('&') } };
  }
}
