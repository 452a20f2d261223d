import { describe, expect, test } from '@jest/globals';
import { Availability } from '../../../src/call/availability.js';
import { createDirectory } from '../../../src/call/directory.js';
import { asLegId, type AgentLine, type LegEvent } from '../../../src/call/vocabulary.js';
import {
  AGENTS,
  BrainBench,
  called,
  customerIn,
  ended,
  joined,
  phone,
  trunkOut,
  up,
} from '../../support/brain-bench.js';

const lineOf = (extension: string, device = `PJSIP/${extension}`): AgentLine => ({ kind: 'agent', extension, device });
const inQueues = (extension: string, doNotDisturb: boolean, initial = false, device?: string): LegEvent => ({
  type: 'availability',
  place: 'queues',
  line: lineOf(extension, device),
  doNotDisturb,
  initial,
});
const atPhone = (extension: string, doNotDisturb: boolean): LegEvent => ({
  type: 'availability',
  line: lineOf(extension, `Custom:DND${extension}`),
  doNotDisturb,
});

/** A customer calls; the phones of these extensions are called. */
function ringGroup(bench: BrainBench, ...extensions: string[]): BrainBench {
  bench.say(customerIn('c'));
  for (const one of extensions) bench.say(phone(`p${one}`, one), called(`p${one}`, 'c'));
  return bench;
}

describe('who is told to be called', () => {
  test('of a ring group: not who does not wish to be disturbed', () => {
    const bench = new BrainBench().say(inQueues('101', true));
    ringGroup(bench, '100', '101', '102').until(1_000);
    expect(bench.last).toMatchObject({ event: 'newCall', user: ['Alice Agent', 'Carol Agent'] });
  });

  test('his phone may be called otherwise than his extension', () => {
    const bench = new BrainBench().say(inQueues('alice', true, false, 'PJSIP/alice'));
    ringGroup(bench, '100', '101').until(1_000);
    expect(bench.last).toMatchObject({ user: ['Bob Agent'] });
  });

  test('nobody is named when nobody wishes to be disturbed; the call is told all the same', () => {
    const bench = new BrainBench().say(inQueues('100', true), atPhone('101', true));
    ringGroup(bench, '100', '101').until(1_000);
    expect(bench.events).toEqual(['newCall']);
    expect(bench.last).toMatchObject({ user: [] });
  });

  test('what counts is how it is when the call is told', () => {
    const bench = new BrainBench().say(inQueues('100', true));
    ringGroup(bench, '100', '101').say(inQueues('100', false)).until(1_000);
    expect(bench.last).toMatchObject({ user: ['Alice Agent', 'Bob Agent'] });
  });

  test('at a gate: not who does not wish to be disturbed, named by the PBX or by the configuration', () => {
    const ask = {
      leg: asLegId('c'),
      line: { kind: 'trunk', name: 'trunk' },
      dialled: '+4930555200',
      withheld: false,
    } as const;
    const named = new BrainBench().say(inQueues('100', true));
    named.ask({ ...ask, users: ['100', '101'] });
    expect(named.last).toMatchObject({ user: ['Bob Agent'] });
    const configured = new BrainBench({ dids: [{ number: '+4930555200', agents: ['100', '102'] }] });
    configured.say(atPhone('102', true)).ask(ask);
    expect(configured.last).toMatchObject({ user: ['Alice Agent'] });
  });

  test('who answers at once is named, whatever he wished', () => {
    const bench = new BrainBench().say(inQueues('100', true));
    ringGroup(bench, '100', '101').say(up('p100'), up('c'), joined('p100', 'x'), joined('c', 'x'));
    expect(bench.told.map(({ post }) => post)).toMatchObject([
      { event: 'newCall', user: ['Alice Agent', 'Bob Agent'] },
      { event: 'answer', user: 'Alice Agent' },
    ]);
  });

  test('who calls himself is named', () => {
    const bench = new BrainBench().say(inQueues('100', true));
    bench.say(phone('a', '100', 'incoming'), trunkOut('t', '03012345678', 'a'), called('t', 'a'));
    expect(bench.last).toMatchObject({ event: 'newCall', direction: 'out', user: ['Alice Agent'] });
  });

  test('a filter on agents judges by who was called', () => {
    const bench = new BrainBench({ filter: { agents: ['100'] } }).say(inQueues('100', true));
    ringGroup(bench, '100').until(1_000).say(ended('p100', 16), ended('c', 16));
    expect(bench.events).toEqual(['newCall', 'hangup']);
  });
});

describe('after a restart', () => {
  test('what was set before still holds, for a call that is taken up too', () => {
    const bench = new BrainBench();
    ringGroup(bench, '100', '101').restart();
    bench.brain.availability.set('101', true);
    bench.say(phone('p100', '100'), phone('p101', '101')).until(1_000);
    expect(bench.last).toMatchObject({ event: 'newCall', user: ['Alice Agent'] });
  });
});

describe('what a PBX says of an agent', () => {
  const availability = (): Availability => new Availability(createDirectory(AGENTS, [], 'DE'));
  const say = (one: Availability, ...events: LegEvent[]): void => {
    for (const event of events) one.apply(event);
  };
  const word = (doNotDisturb: boolean, more: object = {}): object => ({
    doNotDisturb,
    initial: false,
    mixed: false,
    ...more,
  });

  test('in queues: all his lines must be paused', () => {
    const one = availability();
    say(one, inQueues('100', true), inQueues('alice', false, false, 'PJSIP/alice'));
    expect(one.word('100')).toEqual(word(false));
    say(one, inQueues('alice', true, false, 'PJSIP/alice'));
    expect(one.word('100')).toEqual(word(true));
  });

  test("that he may be disturbed is nobody's word when no line was ever paused", () => {
    const one = availability();
    say(one, inQueues('100', false, true));
    expect(one.word('100')).toEqual(word(false, { initial: true }));
    say(one, inQueues('100', true), inQueues('100', false));
    expect(one.word('100')).toEqual(word(false));
  });

  test('who is paused at one line, while the other has just come into a queue: in part', () => {
    const one = availability();
    say(one, inQueues('100', true), inQueues('alice', false, true, 'PJSIP/alice'));
    expect(one.word('100')).toEqual(word(false, { initial: 'partly' }));
    say(one, { ...inQueues('bob', false), line: lineOf('101'), initial: 'partly' } as LegEvent);
    expect(one.word('101')).toEqual(word(false, { initial: 'partly' }));
  });

  test('where phone and queues differ, what was said last counts', () => {
    const one = availability();
    say(one, inQueues('100', false), atPhone('100', false), atPhone('100', true));
    expect(one.word('100')).toEqual(word(true, { mixed: true }));
    say(one, inQueues('100', true), atPhone('100', false));
    expect(one.word('100')).toEqual(word(false, { mixed: true }));
    say(one, inQueues('100', false));
    expect(one.word('100')).toEqual(word(false));
  });

  test('where that was before anybody listened, nobody knows; but a queue that is new says nothing against the phone', () => {
    for (const inOrder of [
      [inQueues('100', false), atPhone('100', true)],
      [atPhone('100', false), inQueues('100', true)],
    ]) {
      const one = availability();
      say(one, ...inOrder);
      expect(one.word('100')).toEqual(word(true, { mixed: 'unclear' }));
    }
    const one = availability();
    say(one, inQueues('100', false), atPhone('100', true), inQueues('100', true));
    say(one, { ...inQueues('100', false), initial: 'partly' } as LegEvent);
    expect(one.word('100')).toEqual(word(true, { mixed: true }));
  });

  test('a queue that has forgotten says nothing against the phone', () => {
    const one = availability();
    say(one, inQueues('100', true), atPhone('100', true), inQueues('100', false, true));
    expect(one.word('100')).toEqual(word(true, { mixed: true }));
  });

  test('twice the same is no news; lines that are gone are', () => {
    const one = availability();
    say(one, inQueues('100', true));
    expect(one.take()).toEqual({ words: [{ extension: '100', word: word(true) }], complete: false });
    say(one, inQueues('100', true));
    expect(one.take()).toBeUndefined();
    say(one, { type: 'availabilities', lines: [] });
    expect(one.take()).toEqual({ words: [{ extension: '100', word: undefined }], complete: true });
    expect(one.isUndisturbed('100')).toBe(false);
  });

  test('that he may be disturbed does not overrule what was set, unless it ends what the PBX said', () => {
    const one = availability();
    one.set('100', true);
    say(one, inQueues('100', false));
    expect(one.isUndisturbed('100')).toBe(true);
    say(one, inQueues('100', true), inQueues('100', false));
    expect(one.isUndisturbed('100')).toBe(false);
  });
});
