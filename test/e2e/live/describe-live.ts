/**
 * The whole way, for real: SIP phones and a carrier call through a real Asterisk; the bridge, a process of its own, hears
 * its manager interface over TCP and tells a stand-in for Zammad. Each scenario ends with a look at Zammad's caller log.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type AsteriskInstallation, installAsterisk } from '../../lab/asterisk-installation.js';
import { hasOpenssl } from '../../lab/self-signed.js';
import { waitFor } from '../../support/wait-for.js';
import { everydayCalls } from './everyday-calls.js';
import { clickedCalls, clicksInTrouble } from './clicked-calls.js';
import { failureReport } from './failure-report.js';
import { gateCalls } from './gate-calls.js';
import { gateTrouble } from './gate-trouble.js';
import { judgeScenario } from './judge-scenario.js';
import { roughWeather } from './rough-weather.js';
import type { Scenario } from './scenario.js';
import { Stage, type StageOptions } from './stage.js';

const fewCalls = everydayCalls.filter(({ name }) =>
  [
    'an agent answers, the customer hangs up',
    'a ring group: both are named, one answers',
    'a caller who hides',
  ].includes(name),
);

/** What is heard in another way over ARI. The recorded calls hold the rest. */
const ariCalls = everydayCalls.filter(({ name }) =>
  [
    'an agent answers, the customer hangs up',
    'a caller who hides from us but not from the network (P-Asserted-Identity)',
    'a queue of Local channels, as FreePBX makes them',
    'attended transfer: the consultation is no call of its own',
    'an agent calls out and is answered',
  ].includes(name),
);
const ariWeather = roughWeather.filter(({ name }) =>
  [
    'the wire to the PBX is cut in mid-call and mended; the calls go on',
    'a call comes and is answered while the wire is cut',
    'the bridge crashes (kill -9) in mid-call and is started again',
  ].includes(name),
);

/** Plays the scenarios of `series`, whatever of it can be had here. */
export async function describeSeries(series: '22' | '16'): Promise<void> {
  jest.setTimeout(60_000);
  const installation = await installAsterisk(series);
  if (installation.kind === 'unavailable') {
    test.skip(`real calls through Asterisk ${series}: ${installation.reason}`, () => undefined);
    return;
  }
  const pbx = `Asterisk ${installation.version}`;
  describeLive(`${pbx}: everyday calls`, installation, {}, everydayCalls);
  describeLive(`${pbx}: rough weather`, installation, {}, roughWeather);
  describeLive(`${pbx}: before any phone rings, and by a click`, installation, { gate: true }, [
    ...gateCalls,
    ...clickedCalls,
  ]);
  describeLive(`${pbx}: a gate that gets no answer, a click that breaks`, installation, { gate: true }, trouble);
  const overTls = `${pbx}: over TLS, trunks discovered`;
  if (await hasOpenssl()) describeLive(overTls, installation, { tls: true, discoverTrunks: true }, fewCalls);
  else test.skip(`${overTls}: no openssl here`, () => undefined);
  const overAri = `${pbx}: over ARI with TLS, trunks discovered`;
  const safeAri = { over: 'ari', tls: true, discoverTrunks: true } as const;
  if (await hasOpenssl()) describeLive(overAri, installation, safeAri, ariCalls);
  else test.skip(`${overAri}: no openssl here`, () => undefined);
  if (series === '22') describeLive(`${pbx}: rough weather over ARI`, installation, { over: 'ari' }, ariWeather);
}

const trouble = [...gateTrouble, ...clicksInTrouble];
const COMPLAINT = /"level":"(warn|error|fatal)"/;
/** The bridge has something to complain about. */
const isTroubled = (scenarios: readonly Scenario[]): boolean =>
  scenarios.some((scenario) => roughWeather.includes(scenario) || trouble.includes(scenario));

async function perform(stage: Stage, scenario: Scenario): Promise<void> {
  try {
    await scenario.play(stage);
    await stage.lab.silence();
    await waitFor(
      'Zammad to have closed every call',
      () => stage.rows().length >= scenario.calls.length && stage.rows().every((row) => row.state === 'hangup'),
    ).catch(() => undefined);
    expect(judgeScenario(scenario, stage)).toEqual([]);
    expect([...stage.lab.phones.troubles, ...stage.lab.carrier.troubles]).toEqual([]);
  } catch (thrown) {
    const told = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Error(`${told}\n${failureReport(stage)}`, { cause: thrown });
  }
}

function describeLive(
  name: string,
  installation: AsteriskInstallation,
  options: StageOptions,
  scenarios: readonly Scenario[],
): void {
  describe(name, () => {
    let stage: Stage | undefined;
    const theStage = (): Stage => {
      if (stage === undefined) throw new Error('the stage could not be set');
      return stage;
    };
    beforeAll(async () => {
      stage = await Stage.set(installation, options);
    });
    beforeEach(async () => {
      await theStage().begin();
    });
    afterAll(async () => {
      await stage?.close();
    });

    test.each(scenarios.map((scenario) => ({ name: scenario.name, scenario })))('$name', async ({ scenario }) => {
      await perform(theStage(), scenario);
    });

    // Whatever came late, after its scenario had been judged, shows here.
    test('in the end Zammad has each call once, told once, closed once', () => {
      const { zammad } = theStage();
      const expected = scenarios.reduce((sum, { calls }) => sum + calls.length, 0);
      const rows = zammad.log();
      expect(rows.filter((row) => row.state !== 'hangup')).toEqual([]);
      expect(rows).toHaveLength(expected);
      for (const event of ['newCall', 'hangup']) {
        const accepted = zammad.requests().filter((post) => post.event === event && post.status === 200);
        expect(accepted.map((post) => post.callId).sort()).toEqual(rows.map((row) => row.callId).sort());
      }
    });

    test('the log holds no secret and, when all was well, no complaint', () => {
      const { bridge, lab, token } = theStage();
      expect(bridge.log).toContain('"level":"info"');
      expect(bridge.log).not.toContain(lab.pbx.secret);
      expect(bridge.log).not.toContain(token);
      if (!isTroubled(scenarios)) expect(bridge.log.split('\n').filter((line) => COMPLAINT.test(line))).toEqual([]);
    });
  });
}
