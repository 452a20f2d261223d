/** Calls of a FreeSWITCH played by hand: for what no recording at hand shows. The headers are those that were measured on real ones. */
import { type EslEvent, readJsonEvent } from '../../adapters/freeswitch/event.js';
import { FreeSwitchBench, type FreeSwitchBenchOptions } from './freeswitch-bench.js';

type Headers = Readonly<Record<string, string>>;

export const eslEvent = (name: string, headers: Headers): EslEvent => {
  const event = readJsonEvent(JSON.stringify({ 'Event-Name': name, ...headers }));
  if (event === undefined) throw new Error('no event');
  return event;
};

/** A customer who calls the DID. */
export const customer = (id: string, more: Headers = {}): Headers => ({
  'Unique-ID': id,
  'Channel-Name': 'sofia/external/+4930123456@127.0.0.1',
  'Call-Direction': 'inbound',
  'Caller-Caller-ID-Number': '+4930123456',
  'Caller-Orig-Caller-ID-Number': '+4930123456',
  'Caller-Destination-Number': '+4930555200',
  ...more,
});
/** A user's phone that is called. */
export const phone = (id: string, user: string, more: Headers = {}): Headers => ({
  'Unique-ID': id,
  'Channel-Name': `sofia/internal/x${user}@192.0.2.1`,
  'Call-Direction': 'outbound',
  'Caller-Caller-ID-Number': '+4930123456',
  'Caller-Destination-Number': `x${user}`,
  'Channel-Presence-ID': `${user}@pbx.example.test`,
  variable_dialed_user: user,
  variable_dialed_domain: 'pbx.example.test',
  ...more,
});
/** A user who dials. */
export const dialling = (id: string, user: string, number: string): Headers => ({
  'Unique-ID': id,
  'Channel-Name': `sofia/internal/${user}@pbx.example.test`,
  'Call-Direction': 'inbound',
  'Caller-Caller-ID-Number': user,
  'Caller-Destination-Number': number,
  'Channel-Presence-ID': `${user}@pbx.example.test`,
  variable_sip_auth_username: user,
});
/** A leg out by a gateway. */
export const outside = (id: string, number: string, more: Headers = {}): Headers => ({
  'Unique-ID': id,
  'Channel-Name': `sofia/external/${number}`,
  'Call-Direction': 'outbound',
  'Caller-Caller-ID-Number': '+4930555100',
  'Caller-Destination-Number': number,
  variable_sip_gateway_name: 'pstn',
  ...more,
});
export const by = (id: string): Headers => ({ variable_originator: id });

/** Plays events and shows what Zammad is told. */
export class FreeSwitchScene extends FreeSwitchBench {
  readonly #legs = new Map<string, Headers>();
  #sequence = 0;

  constructor(options: FreeSwitchBenchOptions = {}) {
    super(options);
  }

  say(name: string, leg: Headers, more: Headers = {}): this {
    this.#sequence += 1;
    const sequence = { 'Event-Sequence': String(this.#sequence) };
    return this.hear(eslEvent(name, { ...leg, ...sequence, ...more }));
  }
  create(leg: Headers): this {
    this.#legs.set(leg['Unique-ID'] ?? '', leg);
    return this.say('CHANNEL_CREATE', leg, { 'Answer-State': 'ringing' });
  }
  answer(id: string): this {
    return this.say('CHANNEL_ANSWER', this.#leg(id), { 'Answer-State': 'answered' });
  }
  bridge(a: string, b: string): this {
    return this.say('CHANNEL_BRIDGE', this.#leg(a), { 'Bridge-A-Unique-ID': a, 'Bridge-B-Unique-ID': b });
  }
  unbridge(a: string, b: string): this {
    return this.say('CHANNEL_UNBRIDGE', this.#leg(a), { 'Bridge-A-Unique-ID': a, 'Bridge-B-Unique-ID': b });
  }
  room(id: string, action: 'add-member' | 'del-member'): this {
    const conference = {
      'Event-Subclass': 'conference::maintenance',
      'Conference-Unique-ID': 'room-1',
      Action: action,
    };
    return this.say('CUSTOM', this.#leg(id), conference);
  }
  end(id: string, cause = 'NORMAL_CLEARING', disposition = 'send_bye', more: Headers = {}): this {
    const ending = { 'Answer-State': 'hangup', 'Hangup-Cause': cause, variable_sip_hangup_disposition: disposition };
    return this.say('CHANNEL_HANGUP_COMPLETE', this.#leg(id), { ...ending, ...more });
  }
  after(ms: number): this {
    return this.until(this.now + ms);
  }

  /** One line a post. */
  get log(): string[] {
    return this.posts.map(({ post }) => {
      if (post.event === 'newCall') return `${post.direction} ${post.from} > ${post.to} [${post.user.join(', ')}]`;
      if (post.event === 'answer') return `answer ${post.answeringNumber ?? post.user ?? ''}`.trim();
      return `hangup ${post.cause}`;
    });
  }

  #leg(id: string): Headers {
    const leg = this.#legs.get(id);
    if (leg === undefined) throw new Error(`there is no leg ${id}`);
    return leg;
  }
}
