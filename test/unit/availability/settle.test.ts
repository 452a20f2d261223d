import { describe, expect, test } from '@jest/globals';
import { settle, type KnownState, type Verdict } from '../../../src/availability/settle.js';

const DND = 'do-not-disturb';
const OPEN = 'available';
const saidOf = (doNotDisturb: boolean, more: { initial?: boolean | 'partly'; mixed?: boolean } = {}) => ({
  doNotDisturb,
  initial: false,
  mixed: false,
  ...more,
});
const known = (
  state: KnownState['agent']['state'],
  said: KnownState['said'],
  more: Partial<KnownState> = {},
): KnownState => ({
  agent: { state, by: 'api' },
  said,
  ...more,
});
const BY_PBX = { agent: { state: DND, by: 'pbx' } } as const;

describe('a PBX and the bridge', () => {
  test.each<[string, ReturnType<typeof saidOf>, KnownState, Verdict]>([
    ['say the same', saidOf(true), known(DND, DND), 'agree'],
    ['say the same, of which the PBX had said the contrary before', saidOf(true), known(DND, OPEN), 'agree'],
    ['differ: the PBX has changed it', saidOf(true), known(OPEN, OPEN), 'follow'],
    ['differ: the PBX has ended it', saidOf(false), known(DND, DND), 'follow'],
    ['differ: the bridge has changed it while the PBX was away', saidOf(false), known(DND, OPEN), 'carry out'],
    ['differ: the bridge has ended it while the PBX was away', saidOf(true), known(OPEN, DND), 'carry out'],
    ['differ: the PBX was started anew', saidOf(false, { initial: true }), known(DND, DND), 'carry out'],
    [
      'differ: the PBX has forgotten what was its own',
      saidOf(false, { initial: true }),
      known(DND, DND, BY_PBX),
      'follow',
    ],
    [
      'differ: a PBX that was started anew has forgotten what another PBX said',
      saidOf(false, { initial: true }),
      known(DND, OPEN, BY_PBX),
      'carry out',
    ],
    [
      'differ: it has forgotten what another PBX still says',
      saidOf(false, { initial: true }),
      known(DND, DND, { ...BY_PBX, elsewhere: true }),
      'carry out',
    ],
    [
      'differ: who is paused in all his queues has come into another one',
      saidOf(false, { initial: 'partly' }),
      known(DND, DND, BY_PBX),
      'carry out',
    ],
    [
      'differ: it is the echo of an order, and the contrary was set meanwhile',
      saidOf(true),
      known(OPEN, OPEN, { ordered: DND }),
      'carry out',
    ],
    ['say the same, but the PBX in one place only', saidOf(true, { mixed: true }), known(DND, DND), 'carry out'],
    [
      'the same while that is being ordered',
      saidOf(true, { mixed: true }),
      known(DND, OPEN, { ordered: DND }),
      'agree',
    ],
  ])('%s', (_name, word, state, verdict) => {
    expect(settle(word, state)).toBe(verdict);
  });
});
