/** One state of an agent, both ways, with a real Asterisk that is heard over ARI: a custom device state, which the dialplan reads and sets. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { installAsterisk, type AsteriskInstallation } from '../lab/asterisk-installation.js';
import { waitFor } from '../support/wait-for.js';
import { AgentState, callsInVain, rang } from './live/agent-state.js';
import { CUSTOMER, customerCalls } from './live/scenario.js';
import { Stage } from './live/stage.js';

jest.setTimeout(60_000);

async function deviceState({ lab }: Stage): Promise<string | undefined> {
  const { Value } = await lab.pbx.observer.action({ Action: 'Getvar', Variable: 'DEVICE_STATE(Custom:DND100)' });
  return Value;
}

/** Alice dials a code at her phone, by which the dialplan sets her device state. */
async function dials({ lab }: Stage, code: string): Promise<void> {
  const call = await lab.phones.place('100', code);
  await call.reaches('ended');
}

function describeAt(installation: AsteriskInstallation): void {
  describe(`do not disturb over ARI, Asterisk ${installation.version}`, () => {
    let stage: Stage;
    let alice: AgentState;
    beforeAll(async () => {
      stage = await Stage.set(installation, { over: 'ari', doNotDisturb: true });
      alice = await AgentState.of(stage, '100');
    });
    afterAll(async () => {
      await stage.close();
    });

    test('set over the API: the dialplan reads it, her phone does not ring, and Zammad does not hear of her', async () => {
      expect(await alice.set('do-not-disturb')).toMatchObject({
        state: 'do-not-disturb',
        by: 'api',
        pbx: [{ name: 'office', outcome: 'done' }],
      });
      expect(await deviceState(stage)).toBe('BUSY');
      await stage.begin();
      const customer = await customerCalls(stage, 720);
      await customer.reaches('ended');
      await stage.shows(CUSTOMER, 'hangup');
      expect(rang(stage)).toEqual([]);
      // A ring group that does not look at it calls both.
      expect(await callsInVain(stage, 200, ['100', '101'])).toEqual(['Bob Agent']);
    });

    test('ended and begun at the phone: the bridge follows', async () => {
      await dials(stage, '*79');
      await alice.becomes('available', 'pbx');
      expect(await callsInVain(stage, 720, ['100'])).toEqual(['Alice Agent']);
      await dials(stage, '*78');
      await alice.becomes('do-not-disturb', 'pbx');
      expect(await callsInVain(stage, 200, ['100', '101'])).toEqual(['Bob Agent']);
    });

    test('set to and fro: the last word counts, and nobody but her has said it', async () => {
      const followed = (): number => stage.bridge.log.split('the PBX says so').length;
      const before = followed();
      for (const state of ['available', 'do-not-disturb', 'available', 'do-not-disturb', 'available'])
        await alice.set(state);
      expect(await deviceState(stage)).toBe('NOT_INUSE');
      expect(await alice.state()).toMatchObject({ state: 'available', by: 'api' });
      expect(followed()).toBe(before);
    });

    test('what was set at the phone while the bridge was away wins', async () => {
      await stage.bridge.kill();
      await dials(stage, '*78');
      await stage.bridge.launch();
      await stage.bridge.ready();
      await alice.becomes('do-not-disturb', 'pbx');
    });

    test('what was set in the bridge while the PBX was away is carried out; an Asterisk that is started anew keeps it', async () => {
      await stage.lab.pbx.kill();
      await stage.bridge.unready();
      expect(await alice.set('available')).toMatchObject({ pbx: [{ outcome: 'later' }] });
      await stage.lab.pbx.boot();
      await stage.bridge.ready();
      await waitFor('the device state', async () => (await deviceState(stage)) === 'NOT_INUSE');
      expect(await alice.state()).toMatchObject({ state: 'available', by: 'api' });
    });

    test('nothing is left of the questions', async () => {
      await stage.lab.silence();
      expect(stage.posts().filter(({ params }) => /zpb-ask/.test(JSON.stringify(params)))).toEqual([]);
    });
  });
}

for (const series of ['22', '16'] as const) {
  const installation = await installAsterisk(series);
  if (installation.kind === 'installed') describeAt(installation);
  else test.skip(`do not disturb over ARI, Asterisk ${series}: ${installation.reason}`, () => undefined);
}
