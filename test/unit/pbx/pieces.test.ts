import { expect, test } from '@jest/globals';
import type { Outcome } from '../../../src/call/outcome.js';
import { createDirectory } from '../../../src/call/directory.js';
import { asPbxName, asZammadName, type LegEvent } from '../../../src/call/vocabulary.js';
import type { Clock } from '../../../src/clock.js';
import type { AdapterContext, Hearing } from '../../../src/pbx/adapter.js';
import { PbxLine } from '../../../src/pbx/pbx-line.js';
import { WorkQueue } from '../../../src/pbx/work-queue.js';
import { AGENTS, called, CALLS, customerIn, ended, joined, phone, snapshot, up } from '../../support/brain-bench.js';
import { ManualClock } from '../../support/manual-clock.js';
import { OPEN_GATE } from '../../support/open-gate.js';
import { silent } from '../../support/whole-bridge.js';

/** Whatever is done takes long: a turn is over after each step. */
function slowClock(): Clock {
  let now = 0;
  return { monotonic: () => (now += 10), wall: () => 0, after: () => () => undefined };
}

function* steps(name: string, count: number, done: string[]): Generator<unknown, void> {
  for (let step = 1; step <= count; step += 1) {
    done.push(`${name}${step}`);
    yield;
  }
}

test('what takes long is done in several turns, one thing after the other', async () => {
  const done: string[] = [];
  const queue = new WorkQueue(slowClock(), () => undefined);
  queue.add(steps('a', 3, done));
  queue.add(steps('b', 2, done));
  expect([done, queue.busy]).toEqual([['a1'], true]);
  await queue.idle();
  expect([done, queue.busy]).toEqual([['a1', 'a2', 'a3', 'b1', 'b2'], false]);
});

test('what does not is done at once', () => {
  const done: string[] = [];
  const queue = new WorkQueue(new ManualClock(), () => undefined);
  queue.add(steps('a', 3, done));
  expect([done, queue.busy]).toEqual([['a1', 'a2', 'a3'], false]);
});

test('all of it can be finished at once, and who waits for that is told', async () => {
  const done: string[] = [];
  const queue = new WorkQueue(slowClock(), () => undefined);
  queue.add(steps('a', 3, done));
  const idle = queue.idle();
  queue.finish();
  expect(done).toEqual(['a1', 'a2', 'a3']);
  await idle;
});

test('a task that fails is given up and told, and the next one has its turn', async () => {
  const done: string[] = [];
  const errors: unknown[] = [];
  const queue = new WorkQueue(slowClock(), (thrown) => errors.push(thrown));
  const fails = function* (): Generator<unknown, void> {
    yield;
    throw new Error('broken');
  };
  queue.add(fails());
  queue.add(steps('a', 1, done));
  await queue.idle();
  expect([errors, done]).toEqual([[new Error('broken')], ['a1']]);
});

/** A line whose PBX says what the test says, and everything that it told: what was told together is one piece. */
function rig(clock: Clock) {
  const pieces: (readonly Outcome[])[] = [];
  let context: AdapterContext | undefined;
  const line = new PbxLine({
    brain: {
      ...{ pbx: asPbxName('office'), calls: CALLS, filter: {}, journal: true },
      destinations: [{ name: asZammadName('main'), filter: {} }],
      directory: createDirectory(AGENTS, [], 'DE'),
    },
    createAdapter: (given) => {
      context = given;
      return {
        start: (): Promise<Hearing> => Promise.resolve({ missing: [], lost: new Promise(() => undefined) }),
        stop: () => Promise.resolve(),
        snapshot: () => [],
      };
    },
    ...{ random: () => 0, gate: OPEN_GATE, clock, log: silent, metrics: { count: () => undefined } },
    onOutcomes: (outcomes) => {
      if (outcomes.length > 0) pieces.push(outcomes);
    },
  });
  const emit = (...batch: LegEvent[]): void => context?.emit(batch);
  return { line, emit, pieces };
}

const NUMBERS = Array.from({ length: 100 }, (_, n) => n);
const MANY = NUMBERS.flatMap((n): LegEvent[] => [
  customerIn(`c${n}`, `+49301${100_000 + n}`),
  phone(`p${n}`, String(100 + (n % 3))),
  called(`p${n}`, `c${n}`),
  ...[up(`c${n}`), up(`p${n}`), joined(`c${n}`, `b${n}`), joined(`p${n}`, `b${n}`)],
]);
const ALL = snapshot(...NUMBERS.flatMap((n) => [`c${n}`, `p${n}`]));

const postsOf = (pieces: readonly (readonly Outcome[])[]): readonly string[] =>
  pieces.flat().flatMap((one) => (one.kind === 'post' ? `${one.post.event} ${one.post.callId}` : []));

test('a snapshot of many calls is told in pieces, as it is told at once; what comes meanwhile follows it', async () => {
  const hear = async (clock: Clock): Promise<readonly (readonly Outcome[])[]> => {
    const { line, emit, pieces } = rig(clock);
    emit(...MANY, ALL);
    emit(ended('c5', 16, 'far'));
    emit(...MANY, ALL);
    await line.tookUp();
    expect(line.openCalls).toBe(99);
    await line.stop();
    return pieces;
  };
  const atOnce = await hear(new ManualClock());
  const inPieces = await hear(slowClock());
  expect(postsOf(inPieces)).toEqual(postsOf(atOnce));
  expect(postsOf(inPieces)).toHaveLength(201);
  // No post is told without the state of its call.
  for (const piece of inPieces) {
    const kept = new Set(piece.flatMap((one) => (one.kind === 'call' ? one.callId : [])));
    for (const one of piece) if (one.kind === 'post') expect(kept).toContain(one.post.callId);
  }
  expect(Math.max(...inPieces.map((piece) => piece.length))).toBeLessThan(100);
});

test('a line that stops has told all it has heard', async () => {
  const { line, emit, pieces } = rig(slowClock());
  emit(...MANY, ALL);
  expect(line.isTakingUp).toBe(true);
  await line.stop();
  expect(postsOf(pieces)).toHaveLength(200);
  emit(ended('c5', 16, 'far'));
  expect(postsOf(pieces)).toHaveLength(200);
});

test('who waits at the gate while calls are taken up belongs to what was heard before', () => {
  const { line, emit, pieces } = rig(slowClock());
  emit(...MANY, ALL);
  line.openGate({
    ...{ leg: 'g', line: { kind: 'trunk', name: 'trunk' }, from: '+49301', dialled: '+4930555200', withheld: false },
    ...{ users: [], queue: undefined },
  } as unknown as Parameters<typeof line.openGate>[0]);
  expect([line.isTakingUp, postsOf(pieces).length]).toEqual([false, 200]);
});
