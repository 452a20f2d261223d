import type { Directory } from './directory.js';
import type { AgentLine, AvailabilityPlace, LegEvent } from './vocabulary.js';

/** What the PBX says of an agent, all his lines together. */
export interface AvailabilityWord {
  readonly doNotDisturb: boolean;
  /** He may be disturbed, and nobody has said so there: it is how the PBX begins. `partly`: in some of his queues he is paused. */
  readonly initial: Initial;
  /** His phone says one thing and his queues another; what was said last is the word. `unclear`: nobody heard which that was. */
  readonly mixed: boolean | 'unclear';
}

/** What is new of what the PBX says. */
export interface AvailabilityNews {
  /** `word` undefined: the PBX keeps no state for this agent any more. */
  readonly words: readonly { readonly extension: string; readonly word: AvailabilityWord | undefined }[];
  /** It has said all it has to say. */
  readonly complete: boolean;
}

type Initial = boolean | 'partly';

interface Statement {
  readonly place: AvailabilityPlace;
  readonly doNotDisturb: boolean;
  readonly initial: Initial;
}

/** What is said of one agent. */
interface Said {
  /** By the line's device. */
  readonly statements: Map<string, Statement>;
  /** Where somebody has said something last. */
  last: AvailabilityPlace | undefined;
  word: AvailabilityWord | undefined;
}

/** Lines that are kept at most. A PBX with more members of queues than that has no person to look at them. */
const MOST_LINES = 20_000;

/**
 * Who of the agents does not wish to be disturbed: what the PBX says of their lines, and what is said over it by `set`. The newest word
 * counts. Pure, and idempotent.
 */
export class Availability {
  /** By the line's device: whose it is. */
  readonly #agents = new Map<string, string>();
  readonly #said = new Map<string, Said>();
  readonly #undisturbed = new Set<string>();
  readonly #changed = new Set<string>();
  #complete = false;

  constructor(private readonly directory: Pick<Directory, 'agentAt'>) {}

  /** The agent with that extension does not wish to be disturbed. */
  isUndisturbed(extension: string): boolean {
    return this.#undisturbed.has(extension);
  }

  /** Says it over what the PBX says, until that says something new. */
  set(extension: string, doNotDisturb: boolean): void {
    if (doNotDisturb) this.#undisturbed.add(extension);
    else this.#undisturbed.delete(extension);
  }

  /** What the PBX says now, by extension; of others it keeps no state. */
  words(): ReadonlyMap<string, AvailabilityWord> {
    return new Map([...this.#said].flatMap(([extension, { word }]) => (word === undefined ? [] : [[extension, word]])));
  }
  word(extension: string): AvailabilityWord | undefined {
    return this.#said.get(extension)?.word;
  }

  /** What is new since the last time; undefined: nothing. */
  take(): AvailabilityNews | undefined {
    if (this.#changed.size === 0 && !this.#complete) return undefined;
    const words = [...this.#changed].map((extension) => ({ extension, word: this.word(extension) }));
    const news = { words, complete: this.#complete };
    this.#changed.clear();
    this.#complete = false;
    return news;
  }

  apply(event: LegEvent): void {
    if (event.type === 'availability') this.#take(event);
    if (event.type === 'availabilities') this.#keepOnly(event.lines);
  }

  #take({ line, doNotDisturb, place = 'phone', initial }: Extract<LegEvent, { type: 'availability' }>): void {
    const key = keyOf(line);
    const extension = this.#agents.get(key) ?? this.directory.agentAt(line).extension;
    if (!this.#agents.has(key) && this.#agents.size >= MOST_LINES) return;
    this.#agents.set(key, extension);
    const said = this.#said.get(extension) ?? { statements: new Map(), last: undefined, word: undefined };
    this.#said.set(extension, said);
    const before = valueAt(said, place);
    said.statements.set(key, { place, doNotDisturb, initial: !doNotDisturb && (initial ?? false) });
    const after = valueAt(said, place);
    // What the PBX has forgotten nobody has said.
    const isSaid =
      before !== undefined &&
      before.doNotDisturb !== after?.doNotDisturb &&
      after?.initial !== true &&
      after?.initial !== 'partly';
    if (isSaid) said.last = place;
    this.#judge(extension, said);
  }

  #keepOnly(lines: readonly AgentLine[]): void {
    const there = new Set(lines.map(keyOf));
    for (const [key, extension] of this.#agents) {
      if (there.has(key)) continue;
      this.#agents.delete(key);
      const said = this.#said.get(extension);
      said?.statements.delete(key);
      if (said !== undefined) this.#judge(extension, said);
    }
    this.#complete = true;
  }

  /** Anew, from all that is said of the agent's lines. */
  #judge(extension: string, said: Said): void {
    const before = said.word;
    const word = wordOf(said);
    if (same(word, before)) return;
    said.word = word;
    if (word === undefined) this.#said.delete(extension);
    // That he may be disturbed is news only after the contrary: what else was `set` is for its owner to judge.
    if (word?.doNotDisturb === true || before?.doNotDisturb === true) this.set(extension, word?.doNotDisturb === true);
    this.#changed.add(extension);
  }
}

type Value = Omit<Statement, 'place'>;

/** What one place says: a phone that is not to be disturbed is enough; of the queues all must say so. */
function valueAt({ statements }: Said, place: AvailabilityPlace): Value | undefined {
  const there = [...statements.values()].filter((one) => one.place === place);
  if (there.length === 0) return undefined;
  const isUndisturbed = ({ doNotDisturb }: Statement): boolean => doNotDisturb;
  const doNotDisturb = place === 'phone' ? there.some(isUndisturbed) : there.every(isUndisturbed);
  const isInitial = !doNotDisturb && there.every((one) => one.doNotDisturb || one.initial !== false);
  const isPartly = there.some((one) => one.doNotDisturb || one.initial === 'partly');
  return { doNotDisturb, initial: isInitial && isPartly ? 'partly' : isInitial };
}

function wordOf(said: Said): AvailabilityWord | undefined {
  const phone = valueAt(said, 'phone');
  const queues = valueAt(said, 'queues');
  const only = phone ?? queues;
  if (only === undefined) return undefined;
  if (phone === undefined || queues === undefined || phone.doNotDisturb === queues.doNotDisturb)
    return { doNotDisturb: only.doNotDisturb, initial: only.initial && (queues?.initial ?? true), mixed: false };
  // What the PBX has forgotten, or a queue that is new, says nothing against the phone.
  if (queues.initial !== false) return { doNotDisturb: true, initial: false, mixed: true };
  if (said.last === undefined) return { doNotDisturb: true, initial: false, mixed: 'unclear' };
  const last = said.last === 'phone' ? phone : queues;
  return { doNotDisturb: last.doNotDisturb, initial: false, mixed: true };
}

const same = (a: AvailabilityWord | undefined, b: AvailabilityWord | undefined): boolean =>
  a?.doNotDisturb === b?.doNotDisturb && a?.initial === b?.initial && a?.mixed === b?.mixed;

const keyOf = ({ device }: AgentLine): string => device.toLowerCase();
