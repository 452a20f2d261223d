/** Is what was read really a call's record? It may come out of a damaged file, or of another version of this program. */
import { VERSION, type CallRecord } from './call-record.js';
import { REJECT_DOUBTS } from './reject.js';
import { CAUSES } from './vocabulary.js';

type Check = (value: unknown) => boolean;
type Keys = Readonly<Record<string, Check>>;

const text: Check = (value) => typeof value === 'string';
const truth: Check = (value) => typeof value === 'boolean';
const oneOf =
  (...words: readonly unknown[]): Check =>
  (value) =>
    words.includes(value);
const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const having =
  (keys: Keys): Check =>
  (value) =>
    isObject(value) && Object.entries(keys).every(([key, check]) => check(value[key]));
const either =
  (...checks: readonly Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));

const agent = having({ extension: text, name: text });
const end = having({ by: oneOf('far', 'pbx', 'us'), q850: maybe((value) => typeof value === 'number') });
const line = either(
  having({ kind: oneOf('agent'), extension: text, device: text }),
  having({ kind: oneOf('trunk'), name: text }),
  having({ kind: oneOf('pbx', 'virtual') }),
);
const leg = having({
  id: text,
  line: maybe(line),
  origin: oneOf('incoming', 'outgoing'),
  from: maybe(text),
  dialled: maybe(text),
  withheld: oneOf(true, false, 'asked'),
  by: maybe(text),
  onBehalfOf: maybe(text),
  called: truth,
  up: truth,
  queue: maybe(text),
  voicemail: truth,
});
const counterpart = either(having({ kind: oneOf('agent'), agent }), having({ kind: oneOf('outside', 'voicemail') }));

/** What a record of any version has: enough to close its call. */
const CORE: Keys = {
  version: Number.isSafeInteger,
  id: text,
  from: text,
  to: text,
  answered: truth,
  tellings: listOf(having({ zammad: text, decision: oneOf('open', 'send', 'skip'), answeredBy: maybe(text) })),
  direction: oneOf('in', 'out'),
  root: text,
  ordinal: Number.isSafeInteger,
};
const isCore = having(CORE);
/** What one of this version has besides. */
const isWhole = having({
  customers: listOf(text),
  agents: listOf(agent),
  phones: listOf(having({ leg: text, end: maybe(end) })),
  forwards: listOf(text),
  queues: listOf(text),
  counterpart: maybe(counterpart),
  lastAgent: maybe(agent),
  caller: maybe(end),
  rejected: maybe(oneOf(...CAUSES)),
  rejectDoubt: maybe(oneOf(...REJECT_DOUBTS)),
  customerEnd: maybe(end),
  unannounced: truth,
  closing: truth,
  legs: listOf(leg),
});

/**
 * The record, if its shape is right. Of one of another version only what every version has; the same, as version 0, of one of this
 * version that is right in that much only. Undefined: nothing can be done with it.
 */
export function checkedRecord(value: unknown): CallRecord | undefined {
  if (!isCore(value)) return undefined;
  const record = value as CallRecord;
  if (record.version === VERSION && isWhole(value)) return record;
  const { version, id, from, to, answered, tellings, direction, root, ordinal, unannounced } = record;
  return {
    ...{ version: version === VERSION ? 0 : version, id, from, to, answered, tellings, direction, root, ordinal },
    ...{ customers: [], agents: [], phones: [], forwards: [], queues: [], legs: [] },
    unannounced: (unannounced as unknown) === true,
    closing: false,
  };
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
