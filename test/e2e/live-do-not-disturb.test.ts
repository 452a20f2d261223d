/** One state of an agent, both ways, with a real Asterisk and its queues: set over the API, set at the PBX, and over restarts of both. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { installAsterisk, type AsteriskInstallation } from '../lab/asterisk-installation.js';
import type { AmiMessage } from '../lab/ami-observer.js';
import { runProgram } from '../support/run-program.js';
import { waitFor } from '../support/wait-for.js';
import { AgentState, callsInVain, rang } from './live/agent-state.js';
import { Stage } from './live/stage.js';

jest.setTimeout(60_000);

/** Whether that phone is paused in a queue, as Asterisk says. */
async function isPaused({ lab }: Stage, queue: string, name: string): Promise<boolean> {
  const { observer } = lab.pbx;
  const mark = observer.now;
  await observer.action({ Action: 'QueueStatus', Queue: queue, Member: name });
  const isIt = (event: AmiMessage): boolean => event['Event'] === 'QueueMember' && event['Location'] === name;
  return (await observer.sees('QueueMember', mark, isIt))['Paused'] === '1';
}

/** What the dialplan finds before it calls his number. */
async function deviceState({ lab }: Stage, extension: string): Promise<string | undefined> {
  const variable = `DEVICE_STATE(Custom:DND${extension})`;
  return (await lab.pbx.observer.action({ Action: 'Getvar', Variable: variable }))['Value'];
}

/** Somebody else pauses him, at his phone or on the PBX. */
const atThePbx = async ({ lab }: Stage, name: string, paused: boolean): Promise<void> => {
  await lab.pbx.observer.action({ Action: 'QueuePause', Interface: name, Paused: String(paused), Reason: 'lunch' });
};

function describeAt(installation: AsteriskInstallation, whole: boolean): void {
  describe(`do not disturb, Asterisk ${installation.version}`, () => {
    let stage: Stage;
    let alice: AgentState;
    let bob: AgentState;
    let carol: AgentState;
    beforeAll(async () => {
      stage = await Stage.set(installation, { doNotDisturb: true });
      [alice, bob, carol] = await Promise.all([
        AgentState.of(stage, '100'),
        AgentState.of(stage, '101'),
        AgentState.of(stage, '102'),
      ]);
    });
    afterAll(async () => {
      await stage.close();
    });

    test('set over the API: his queue does not call him, and Zammad does not hear of him', async () => {
      expect(await alice.set('do-not-disturb')).toMatchObject({
        state: 'do-not-disturb',
        by: 'api',
        pbx: [{ name: 'office', outcome: 'done' }],
      });
      expect(await isPaused(stage, 'support', 'PJSIP/100')).toBe(true);
      expect(await deviceState(stage, '100')).toBe('BUSY');
      expect(await callsInVain(stage, 300, ['101', '102'])).toEqual(['Bob Agent', 'Carol Agent']);
      expect(rang(stage)).toEqual(['101', '102']);
    });

    test('set at the PBX: the bridge follows; a ring group that calls both is told with nobody', async () => {
      await atThePbx(stage, 'PJSIP/101', true);
      await bob.becomes('do-not-disturb', 'pbx');
      // For the calls to his own number, though nobody has ever set it.
      await waitFor('the device state', async () => (await deviceState(stage, '101')) === 'BUSY');
      expect(await callsInVain(stage, 200, ['100', '101'])).toEqual([]);
    });
    if (!whole) return;

    test('a restart of the bridge changes nothing', async () => {
      await stage.bridge.stop();
      await stage.bridge.launch();
      await stage.bridge.ready();
      expect(await alice.state()).toMatchObject({ state: 'do-not-disturb', by: 'api' });
      expect(await bob.state()).toMatchObject({ state: 'do-not-disturb', by: 'pbx' });
    });

    test('what was set at the PBX while the bridge was away wins', async () => {
      await stage.bridge.kill();
      await atThePbx(stage, 'PJSIP/101', false);
      await stage.bridge.launch();
      await stage.bridge.ready();
      await bob.becomes('available', 'pbx');
      expect(await alice.state()).toMatchObject({ state: 'do-not-disturb', by: 'api' });
    });

    test('who is paused in all his queues is paused in another one too into which he comes', async () => {
      await atThePbx(stage, 'PJSIP/102', true);
      await carol.becomes('do-not-disturb', 'pbx');
      await stage.lab.pbx.observer.action({ Action: 'QueueAdd', Queue: 'sales', Interface: 'PJSIP/102' });
      await waitFor('the pause', () => isPaused(stage, 'sales', 'PJSIP/102'));
      expect(await carol.state()).toMatchObject({ state: 'do-not-disturb', by: 'pbx' });
      expect(await carol.set('available')).toMatchObject({ pbx: [{ outcome: 'done' }] });
      expect(await isPaused(stage, 'support', 'PJSIP/102')).toBe(false);
      await stage.lab.pbx.observer.action({ Action: 'QueueRemove', Queue: 'sales', Interface: 'PJSIP/102' });
    });

    test('an Asterisk that was started anew is told again what the bridge had set', async () => {
      await stage.lab.pbx.kill();
      await stage.bridge.unready();
      await stage.lab.pbx.boot();
      await stage.bridge.ready();
      await waitFor('the pause', () => isPaused(stage, 'support', 'PJSIP/100'));
      expect(await alice.state()).toMatchObject({ state: 'do-not-disturb', by: 'api' });
    });

    test('the device state is one with it: ended at the phone, his queue calls him again', async () => {
      await stage.lab.pbx.observer.action({
        Action: 'Setvar',
        Variable: 'DEVICE_STATE(Custom:DND100)',
        Value: 'NOT_INUSE',
      });
      await alice.becomes('available', 'pbx');
      await waitFor('the end of the pause', async () => !(await isPaused(stage, 'support', 'PJSIP/100')));
    });

    test('set at the command line', async () => {
      const set = await runProgram(stage.bridge, 'dnd', '100', 'on');
      expect(set).toMatchObject({ status: 0, stdout: 'Alice Agent (100) does not wish to be disturbed from now on\n' });
      await waitFor('the pause', () => isPaused(stage, 'support', 'PJSIP/100'));
      await alice.becomes('do-not-disturb', 'cli');
      const shown = await runProgram(stage.bridge, 'dnd', '100', 'show', '--json');
      expect(JSON.parse(shown.stdout)).toMatchObject({ agent: '100', state: 'do-not-disturb', by: 'cli' });
    });
  });
}

for (const series of ['22', '16'] as const) {
  const installation = await installAsterisk(series);
  if (installation.kind === 'installed') describeAt(installation, series === '22');
  else test.skip(`do not disturb, Asterisk ${series}: ${installation.reason}`, () => undefined);
}
