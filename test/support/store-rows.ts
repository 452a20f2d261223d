/** Calls and posts to put into stores. */
import { pino, type Logger } from 'pino';
import { asCallId, asLegId, asPbxName, asZammadName, type PbxName, type Post } from '../../src/call/vocabulary.js';
import type { CallRecord } from '../../src/call/call-record.js';
import { systemClock } from '../../src/clock.js';
import type { NewOutboxItem } from '../../src/store/outbox.js';
import type { StoreContext, StoreTuning } from '../../src/store/settings.js';
import type { CallChange, Lead, LedElsewhere, Store } from '../../src/store/store.js';

export const OFFICE = asPbxName('office');

/** A post of the call `call` for Zammad `main`. */
export function somePost(
  call: string,
  event: Post['event'] = 'newCall',
  more: Partial<NewOutboxItem> = {},
): NewOutboxItem {
  const base = { callId: asCallId(call), direction: 'in', from: '491711234567', to: '4930555200' } as const;
  const posts: Record<Post['event'], Post> = {
    newCall: { ...base, event: 'newCall', user: ['Zoë 😀', "O'Brien"], queue: 'sales' },
    answer: { ...base, event: 'answer', user: 'Zoë 😀', answeringNumber: '100' },
    hangup: { ...base, event: 'hangup', cause: 'normalClearing' },
  };
  return {
    pbx: OFFICE,
    zammad: asZammadName('main'),
    callId: asCallId(call),
    post: posts[event],
    repeatable: false,
    happenedAt: 1_800_000_000_123,
    ...more,
  };
}

export const someRecord = (call: string, more: Partial<CallRecord> = {}): CallRecord => ({
  version: 1,
  id: asCallId(call),
  direction: 'in',
  root: asLegId(`leg-${call}`),
  ordinal: 1,
  customers: [asLegId(`leg-${call}`)],
  agents: [],
  phones: [],
  forwards: [],
  queues: ['sales'],
  from: '491711234567',
  to: '4930555200',
  answered: false,
  unannounced: true,
  closing: false,
  tellings: [{ zammad: asZammadName('main'), decision: 'send', answeredBy: undefined }],
  legs: [],
  ...more,
});

export const openCall = (call: string, more: Partial<CallRecord> = {}): CallChange => {
  const record = someRecord(call, more);
  return { callId: record.id, root: record.root, ordinal: record.ordinal, record };
};
export const overCall = (call: string, ordinal = 1): CallChange => ({
  callId: asCallId(call),
  root: asLegId(`leg-${call}`),
  ordinal,
  record: undefined,
});

/** What is wrong with a lead that should have been had. */
export async function leadOf(store: Store, pbx: PbxName = OFFICE): Promise<Lead> {
  const lead = await store.lead(pbx);
  if (isLead(lead)) return lead;
  throw new Error(`led by ${lead.holder}`);
}
export const isLead = (lead: Lead | LedElsewhere): lead is Lead => 'epoch' in lead;

export interface SeenStore {
  readonly context: StoreContext;
  /** Lines of the log, as objects. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly counts: ReadonlyMap<string, number>;
  readonly gauges: ReadonlyMap<string, number>;
}

/** The machine's own clock, and a log and metrics that the test can read. */
export function seenContext(tuning: Partial<StoreTuning> = {}, more: Partial<StoreContext> = {}): SeenStore {
  const lines: Record<string, unknown>[] = [];
  const counts = new Map<string, number>();
  const gauges = new Map<string, number>();
  const log: Logger = pino(
    { level: 'debug', base: null, formatters: { level: (label) => ({ level: label }) } },
    { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const key = (name: string, labels: Readonly<Record<string, string>> = {}): string =>
    [name, ...Object.values(labels)].join(' ');
  const context: StoreContext = {
    clock: systemClock,
    random: Math.random,
    log,
    metrics: {
      count: (name, labels, by = 1) => void counts.set(key(name, labels), (counts.get(key(name, labels)) ?? 0) + by),
      gauge: (name, value) => void gauges.set(name, value),
    },
    tuning: { retry: { first: 20, max: 200 }, ...tuning },
    ...more,
  };
  return { context, lines, counts, gauges };
}
