import type { AgentLine, LegEvent } from '../../src/call/vocabulary.js';
import type { AgentPhones } from '../../src/pbx/adapter.js';
import type { EslEvent } from './event.js';

/** The CUSTOM events of mod_callcenter; that of a changed status is one of them. */
export const CALLCENTER = 'callcenter::info';

/** The words of mod_callcenter (cc_agent_str2status, read in the source). */
export const ON_BREAK = 'On Break';
export const AVAILABLE = 'Available';
const ON_DEMAND = 'Available (On Demand)';

/** An agent of mod_callcenter. */
export interface QueueAgent {
  /** `1000@default`; in FusionPBX a long id. */
  readonly name: string;
  /** What is dialled for him: `[…]user/1000@pbx.example.com`. */
  readonly contact: string;
  readonly status: string;
}

/**
 * The reply to `callcenter_config agent list`: a line of column names, one line an agent, `|` between, and `+OK`. Without agents
 * there is only the last. undefined: it is no such list.
 */
export function readAgents(reply: string): readonly QueueAgent[] | undefined {
  const lines = reply.split('\n').map((line) => line.replace(/\r$/, ''));
  if (!lines.includes('+OK')) return undefined;
  const [head, ...rows] = lines.filter((line) => line.includes('|'));
  if (head === undefined) return [];
  const columns = head.split('|');
  const at = { name: columns.indexOf('name'), contact: columns.indexOf('contact'), status: columns.indexOf('status') };
  if (at.name < 0 || at.status < 0 || at.contact < 0 || at.name > at.contact || at.status < at.contact)
    return undefined;
  return rows.flatMap((row) => {
    const fields = row.split('|');
    // A contact that tries one phone after the other has "|" in it.
    const more = fields.length - columns.length;
    if (more < 0) return [];
    const contact = fields.slice(at.contact, at.contact + more + 1).join('|');
    return [{ name: fields[at.name] ?? '', contact, status: fields[at.status + more] ?? '' }];
  });
}

const USER = /(?:^|[\]},|/\s])user\/([^@\s,|\]}/]+)(?:@([\w.-]+))?/;
const LOOPBACK = /(?:^|[\]},|\s])loopback\/([\w.+-]+)/;
const LONG_ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/i;

/** Whose phone a queue's agent is; undefined: nothing says it. */
export function lineOfAgent({ name, contact }: Omit<QueueAgent, 'status'>): AgentLine | undefined {
  const user = USER.exec(contact);
  if (user?.[1] !== undefined) {
    const [, extension, domain] = user;
    return { kind: 'agent', extension, device: domain === undefined ? extension : `${extension}@${domain}` };
  }
  const [first = ''] = name.split('@');
  const extension = LOOPBACK.exec(contact)?.[1] ?? (LONG_ID.test(name) ? '' : first);
  return extension === '' ? undefined : { kind: 'agent', extension, device: name };
}

/** The agents of queues that are this one of the bridge's. */
export const agentsWhoAre = (list: readonly QueueAgent[], { extension, devices }: AgentPhones): QueueAgent[] =>
  list.filter((agent) => {
    const line = lineOfAgent(agent);
    const names = [agent.name, line?.device];
    return devices.length > 0 && devices.some((device) => device.includes('@'))
      ? devices.some((device) => names.includes(device))
      : line?.extension === extension || devices.includes(line?.extension ?? '');
  });

/** The status that an agent is to get; undefined: he has a fitting one. Who is logged out is not logged in by this. */
export function statusFor(paused: boolean, status: string, before: string | undefined): string | undefined {
  if (paused) return status === AVAILABLE || status === ON_DEMAND ? ON_BREAK : undefined;
  return status === ON_BREAK ? (before ?? AVAILABLE) : undefined;
}

type Availability = Extract<LegEvent, { type: 'availability' }>;

/** What the agents' status means for who may be disturbed. Pure: lists and events in, leg events out. */
export class AgentStates {
  readonly #known = new Map<string, { readonly line: AgentLine | undefined; readonly status: string }>();

  get size(): number {
    return this.#known.size;
  }

  /** All agents there are. */
  take(list: readonly QueueAgent[]): LegEvent[] {
    const names = new Set(list.map(({ name }) => name));
    for (const name of [...this.#known.keys()]) if (!names.has(name)) this.#known.delete(name);
    const said = list.flatMap((agent) => this.#change(agent.name, lineOfAgent(agent), agent.status) ?? []);
    return [...said, this.#complete()];
  }

  /** `unknown`: an agent who is not in the last list. */
  push(event: EslEvent): LegEvent[] | 'unknown' {
    const name = event.get('CC-Agent');
    const status = event.get('CC-Agent-Status');
    if (event.get('CC-Action') !== 'agent-status-change' || name === undefined || status === undefined) return [];
    const known = this.#known.get(name);
    if (known === undefined) return 'unknown';
    const said = this.#change(name, known.line, status);
    if (said !== undefined) return [said];
    return known.line !== undefined && isInQueues(known.status) ? [this.#complete()] : [];
  }

  /** The agents of whom there is something to say: those who are logged in to their queues. */
  #complete(): LegEvent {
    const lines = [...this.#known.values()].filter(({ status }) => isInQueues(status)).map(({ line }) => line);
    return { type: 'availabilities', lines: lines.filter((line) => line !== undefined) };
  }

  /** What he says is told again though nothing has changed. undefined: he is logged out, which says nothing about calls to his number. */
  #change(name: string, line: AgentLine | undefined, status: string): Availability | undefined {
    const before = this.#known.get(name)?.status;
    this.#known.set(name, { line, status });
    if (line === undefined || !isInQueues(status)) return undefined;
    const doNotDisturb = status === ON_BREAK;
    // Who logs in, or was logged in before anybody listened, has not said that he may be disturbed.
    const initial = !doNotDisturb && (before === undefined || !isInQueues(before));
    return { type: 'availability', place: 'queues', line, doNotDisturb, initial };
  }
}

const isInQueues = (status: string): boolean => [AVAILABLE, ON_DEMAND, ON_BREAK].includes(status);
