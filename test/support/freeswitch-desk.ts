/** The desks of a fake FreeSWITCH: what `originate` does there, as a real one was recorded (click-to-dial-…). */
import { randomUUID } from 'node:crypto';
import type { ApiAnswer, EventHeaders, FakeFreeSwitch } from './fake-freeswitch.js';

/** What becomes of a call to a phone: a cause of FreeSWITCH; `ring`: for ever; nothing known: the user is not in the directory. */
export type Phone = 'answer' | 'ring' | { readonly cause: string };

export interface Originate {
  readonly variables: ReadonlyMap<string, string>;
  readonly phones: readonly string[];
  readonly number: string;
  readonly dialplan: string;
  readonly context: string;
}

/** Splits as switch_separate_string does: a separator between single quotes is none, and `\` takes the next character as it is. */
function separated(text: string, separator: string): string[] {
  const parts = [''];
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? '';
    const escaped = char === '\\';
    if (escaped) at += 1;
    if (char === "'") quoted = !quoted;
    if (char === separator && !quoted) parts.push('');
    else parts.push(`${parts.pop() ?? ''}${char}${escaped ? (text[at] ?? '') : ''}`);
  }
  return parts;
}
const bare = (value: string): string => value.replace(/^'(.*)'$/su, '$1');

/** Reads `originate …` by FreeSWITCH's own rules; undefined: `-USAGE`. Throws for what would be more than one call with variables. */
export function readOriginate(command: string): Originate | undefined {
  const [word, ...words] = separated(command, ' ');
  if (word !== 'originate' || words.length < 2 || words.length > 7) return undefined;
  const [leg = '', number = '', dialplan = '', context = ''] = words;
  if (number.startsWith('&')) throw new Error(`an application: ${number}`);
  if (/\$\{|\^\^|:_:|[\r\n\0[\]]/.test(command)) throw new Error(`more than values: ${command}`);
  const end = leg.indexOf('}');
  if (!leg.startsWith('{') || end < 0) throw new Error(`no variables: ${leg}`);
  const pairs = separated(leg.slice(1, end), ',').map((pair) => {
    const equals = pair.indexOf('=');
    return [pair.slice(0, equals), bare(pair.slice(equals + 1))] as const;
  });
  return { variables: new Map(pairs), phones: leg.slice(end + 1).split(','), number, dialplan, context };
}

/** Phones by their endpoint, `user/1000@pbx.example.test`. */
export class FreeSwitchDesk {
  readonly originates: Originate[] = [];
  readonly killed: string[] = [];
  /** The legs that ring, by their endpoint. */
  readonly #ringing = new Map<string, { readonly leg: EventHeaders; readonly end: (result: string) => void }>();

  constructor(
    private readonly phones: Readonly<Record<string, Phone>>,
    private readonly esl: () => FakeFreeSwitch,
  ) {}

  /** For `FakeFreeSwitchOptions.api`. */
  answer(command: string): ApiAnswer | undefined {
    if (command.startsWith('uuid_kill ')) {
      this.killed.push(command);
      return '+OK\n';
    }
    if (!command.startsWith('originate ')) return undefined;
    const order = readOriginate(command);
    if (order === undefined) return '-USAGE: <call url> <exten>|&<application_name>(<app_args>)\n';
    this.originates.push(order);
    return { later: this.#dial(order) };
  }

  /** Somebody lifts a phone that rings. */
  lift(endpoint: string): void {
    const ringing = this.#ringing.get(endpoint);
    if (ringing === undefined) throw new Error(`${endpoint} does not ring`);
    this.#ringing.delete(endpoint);
    this.#say('CHANNEL_ANSWER', ringing.leg, [['Answer-State', 'answered']]);
    ringing.end(`+OK ${ringing.leg[0]?.[1] ?? ''}\n`);
  }

  /** A recorded originate ends with the first phone that is answered, or with the cause of the last that is not. */
  async #dial(order: Originate): Promise<string> {
    const results = order.phones.map((endpoint) => this.#ring(endpoint, order));
    const answered = Promise.any(
      results.map((result) => result.then((text) => (text.startsWith('+OK') ? text : Promise.reject(new Error(text))))),
    );
    return answered.catch(async () => (await Promise.all(results)).at(-1) ?? '-ERR NORMAL_CLEARING\n');
  }

  async #ring(endpoint: string, { variables }: Originate): Promise<string> {
    const phone = this.phones[endpoint];
    // Not in the directory, or nobody logged in: there is no leg at all.
    if (phone === undefined) return '-ERR SUBSCRIBER_ABSENT\n';
    if (typeof phone === 'object' && phone.cause === 'USER_NOT_REGISTERED') return `-ERR ${phone.cause}\n`;
    const user = endpoint.slice('user/'.length).split('@')[0] ?? '';
    const leg: EventHeaders = [
      ['Unique-ID', randomUUID()],
      ['Channel-Name', `sofia/internal/gw+u${user}@127.0.0.1:15070`],
      ['Call-Direction', 'outbound'],
      ['Channel-Presence-ID', `${user}@pbx.example.test`],
      ['Caller-Caller-ID-Number', variables.get('origination_caller_id_number') ?? ''],
      ['Caller-Destination-Number', `gw+u${user}`],
      ['variable_dialed_user', user],
      ['variable_dialed_domain', 'pbx.example.test'],
      ...[...variables].map(([name, value]) => [`variable_${name}`, value] as const),
    ];
    this.#say('CHANNEL_CREATE', leg, [['Answer-State', 'ringing']]);
    const result = new Promise<string>((resolve) => {
      this.#ringing.set(endpoint, { leg, end: resolve });
    });
    if (phone === 'answer') this.lift(endpoint);
    if (typeof phone === 'object') {
      this.#ringing.delete(endpoint);
      this.#say('CHANNEL_HANGUP_COMPLETE', leg, [
        ['Answer-State', 'hangup'],
        ['Hangup-Cause', phone.cause],
        ['variable_sip_hangup_disposition', 'recv_refuse'],
      ]);
      return `-ERR ${phone.cause}\n`;
    }
    return result;
  }

  #say(name: string, leg: EventHeaders, more: EventHeaders): void {
    this.esl().say([['Event-Name', name], ...leg, ...more]);
  }
}
