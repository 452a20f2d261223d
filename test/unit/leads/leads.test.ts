import { expect, test } from '@jest/globals';
import { asPbxName } from '../../../src/call/vocabulary.js';
import type { PbxConfig } from '../../../src/config/model.js';
import { RetriableError } from '../../../src/errors.js';
import { Leads } from '../../../src/leads.js';
import type { Lead, LedElsewhere } from '../../../src/store/store.js';
import { CALLS } from '../../support/brain-bench.js';
import { ManualClock, settle } from '../../support/manual-clock.js';
import { ScriptedLead, ScriptedStore } from '../../support/scripted-store.js';
import { silent } from '../../support/whole-bridge.js';

const OFFICE = asPbxName('office');
const pbx: PbxConfig = { name: OFFICE, adapter: 'x', filter: {}, calls: CALLS, settings: {} };
const elsewhere: LedElsewhere = { holder: 'the other one', address: 'http://other:9470' };
const GONE = new RetriableError('ZPB_TEST', 'no database');

function rig(
  kind: 'sqlite' | 'postgres',
  script: (attempt: number) => Lead | LedElsewhere | Error,
): { clock: ManualClock; store: ScriptedStore; leads: Leads; did: string[] } {
  const clock = new ManualClock();
  const store = new ScriptedStore(kind, script);
  const did: string[] = [];
  const leads = new Leads({
    store,
    pbxs: [pbx],
    clock,
    random: () => 1,
    log: silent,
    onLead: ({ name }, { epoch }) => {
      did.push(`leads ${name} ${epoch}`);
      return {
        lose: () => {
          did.push('loses');
          return Promise.resolve();
        },
      };
    },
    onLost: ({ name }) => {
      did.push(`lost ${name}`);
    },
  });
  return { clock, store, leads, did };
}

test('a standby tries twice a second, says who leads, and takes over when it is free', async () => {
  const mine = new ScriptedLead(OFFICE, 7);
  const { clock, store, leads, did } = rig('postgres', (attempt) => (attempt <= 4 ? elsewhere : mine));
  await leads.start();
  await settle();
  expect(leads.state(OFFICE)).toEqual({ state: 'standby', by: elsewhere });
  await clock.advance(1_900);
  expect([store.asked, did]).toEqual([4, []]);
  await clock.advance(200);
  expect(did).toEqual(['leads office 7']);
  expect(leads.state(OFFICE)).toEqual({ state: 'leading' });
  await leads.stop();
  expect([did, mine.released]).toEqual([['leads office 7'], false]);
  await leads.release();
  expect([mine.released, clock.pending]).toEqual([true, 0]);
});

test('a lead that was lost is ended before the next one is asked for', async () => {
  const leadsInTurn = [new ScriptedLead(OFFICE, 1), new ScriptedLead(OFFICE, 3)];
  const { clock, leads, did } = rig('postgres', (attempt) =>
    attempt === 1 ? leadsInTurn[0]! : attempt === 2 ? elsewhere : leadsInTurn[1]!,
  );
  await leads.start();
  await settle();
  leadsInTurn[0]?.lose();
  await settle();
  expect(did).toEqual(['leads office 1', 'loses', 'lost office']);
  expect(leads.state(OFFICE)).toMatchObject({ state: 'standby' });
  await clock.advance(500);
  expect(did.at(-1)).toBe('leads office 3');
  await leads.stop();
});

test('another bridge that waits for a lead is seen', async () => {
  const mine = new ScriptedLead(OFFICE);
  const { leads } = rig('postgres', () => mine);
  await leads.start();
  await settle();
  expect(leads.wanted).toBe(false);
  mine.wanted = true;
  expect(leads.wanted).toBe(true);
  await leads.stop();
});

test('a store that cannot be asked is asked again with growing waits, and says why', async () => {
  const { clock, store, leads, did } = rig('postgres', (attempt) => (attempt <= 3 ? GONE : new ScriptedLead(OFFICE)));
  await leads.start();
  await settle();
  expect(leads.state(OFFICE)).toEqual({ state: 'waiting', reason: 'no database' });
  await clock.advance(250);
  expect(store.asked).toBe(2);
  await clock.advance(500);
  expect(store.asked).toBe(3);
  await clock.advance(1_000);
  expect(did).toEqual(['leads office 1']);
  await leads.stop();
});

test('a heritage that cannot be read is asked for again, and nothing is heard before', async () => {
  const mine = new ScriptedLead(OFFICE);
  const load = mine.onLoad;
  let failures = 2;
  mine.onLoad = () => {
    failures -= 1;
    return failures < 0 ? load() : Promise.reject(GONE);
  };
  const { clock, leads, did } = rig('postgres', () => mine);
  await leads.start();
  await settle();
  expect([did, leads.state(OFFICE)]).toEqual([[], { state: 'waiting', reason: 'no database' }]);
  await clock.advance(1_000);
  expect(did).toEqual(['leads office 1']);
  await leads.stop();
});

test('a stop ends every wait at once', async () => {
  const { clock, leads } = rig('postgres', () => elsewhere);
  await leads.start();
  await settle();
  await leads.stop();
  expect(clock.pending).toBe(0);
});

test('one file is used by one bridge: the second one gives up after the patience for a lease', async () => {
  const { clock, store, leads } = rig('sqlite', () => elsewhere);
  const refused = expect(leads.start()).rejects.toMatchObject({
    code: 'ZPB_STORE_IN_USE',
    message: expect.stringContaining('the other one'),
  });
  await clock.advance(11_000);
  await refused;
  expect(store.asked).toBeGreaterThan(15);
});

test('a file that takes no writes now, because the disk is full, is no reason to end', async () => {
  const { clock, leads, did } = rig('sqlite', (attempt) => (attempt <= 3 ? GONE : new ScriptedLead(OFFICE)));
  await leads.start();
  await settle();
  expect(leads.state(OFFICE)).toEqual({ state: 'waiting', reason: 'no database' });
  await clock.advance(2_000);
  expect(did).toEqual(['leads office 1']);
  await leads.stop();
});

test('a file whose user has just ended is taken within that patience, and led once', async () => {
  const mine = new ScriptedLead(OFFICE, 2);
  const { clock, leads, did } = rig('sqlite', (attempt) => (attempt === 1 ? elsewhere : mine));
  const started = leads.start();
  await clock.advance(500);
  await started;
  await settle();
  expect(did).toEqual(['leads office 2']);
  await leads.stop();
});
