/** A login that may hear and nothing else: calls are told all the same, and what cannot be done is said. */
import { BLOCKED, isTurnedAway } from './gate-calls.js';
import { BY_FAST_AGI, BY_STASIS } from './gate-way.js';
import { CUSTOMER, customerCalls, inbound, OUTSIDE, type Scenario } from './scenario.js';
import type { Stage } from './stage.js';

/** After which the lab's dialplan would let a call go that waits in Stasis. */
const DIALPLAN_LIMIT_MS = 2_000;

/** A blocked caller is put through, for the PBX does not do what it is told; the agent talks to him. Returns when his phone rang, in ms. */
async function isPutThroughAllTheSame(stage: Stage, to: number): Promise<number> {
  stage.zammad.change({ blockList: [BLOCKED] });
  const began = performance.now();
  const customer = await customerCalls(stage, to);
  const alice = await stage.lab.phones.callTo('100');
  const ms = Math.round(performance.now() - began);
  await stage.shows(CUSTOMER, 'newCall');
  await alice.answer();
  await Promise.all([customer.hears(), alice.hears()]);
  await stage.shows(CUSTOMER, 'answer');
  await customer.hangUp();
  await alice.reaches('ended');
  return ms;
}

const talked = (to: number) => inbound(to, { named: ['100'], answers: ['100'], cause: 'normalClearing' });

/** Throws unless the click is refused with words that say which right is missing. */
async function mustNotRing(stage: Stage, right: string): Promise<void> {
  const { status, answer } = await stage.click('100', OUTSIDE);
  const said = `${status} ${answer.reason ?? ''}: ${answer.words ?? ''} ${answer.said ?? ''}`;
  if (status !== 502 || !said.includes(right)) throw new Error(`the click was answered with ${said}`);
  if (stage.lab.phones.taken('100').length > 0) throw new Error('the phone rang');
}

const clickIsRefused = (right: string): Scenario => ({
  name: `a click rings nobody, and says that the login lacks ${right}`,
  calls: [],
  play: (stage) => mustNotRing(stage, right),
});

/** Throws unless readiness names what is missing. */
const readinessSays = (...rights: readonly string[]): Scenario => ({
  name: 'readiness says which rights are missing, and is green',
  calls: [],
  async play({ bridge }) {
    const seen = await bridge.get('/readyz');
    if (seen?.status !== 200 || !rights.every((right) => seen.body.includes(right)))
      throw new Error(`/readyz: ${seen?.status ?? 'no answer'} ${seen?.body ?? ''}`);
  },
});

export const deafToOrders = {
  ami: [
    readinessSays('write=call', 'write=originate'),
    {
      name: 'a reject without a gate is refused, said, and the call ends for a reason of its own',
      calls: [talked(100)],
      async play(stage) {
        await isPutThroughAllTheSame(stage, 100);
        await stage.bridge.logs('refused to reject the call', 'Permission denied');
      },
    },
    {
      name: 'the gate needs no right: a blocked caller hears busy, and no phone rings',
      calls: [inbound(BY_FAST_AGI.one, { named: ['100'], cause: 'busy' })],
      async play(stage) {
        await isTurnedAway(stage, BY_FAST_AGI.one);
      },
    },
    clickIsRefused('originate'),
  ],
  ari: [
    readinessSays('read_only = no'),
    {
      name: 'a reject without a gate is refused, said, and the call ends for a reason of its own',
      calls: [talked(100)],
      async play(stage) {
        await isPutThroughAllTheSame(stage, 100);
        await stage.bridge.logs('refused to reject the call', 'read_only = no');
      },
    },
    {
      name: 'Stasis fails at once, so nobody waits for a word that could not be given, and it is said why',
      calls: [talked(BY_STASIS.one)],
      async play(stage) {
        const ms = await isPutThroughAllTheSame(stage, BY_STASIS.one);
        if (ms > DIALPLAN_LIMIT_MS - 500) throw new Error(`the phone rang after ${ms} ms: the call has waited`);
        await stage.bridge.logs('Stasis() fails at once', 'read_only = no');
      },
    },
    clickIsRefused('read_only = no'),
  ],
} as const satisfies Record<string, readonly Scenario[]>;
