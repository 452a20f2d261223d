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
import { gateCalls, secondGate } from './gate-calls.js';
import { crowd, gateTrouble, strandedInStasis } from './gate-trouble.js';
import { BY_FAST_AGI, BY_STASIS } from './gate-way.js';
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

/** What does not depend on how the PBX asks is not played twice. */
const ALIKE: ReadonlySet<string> = new Set([
  'Zammad names the number that an outbound call shows, as callerId',
  'Zammad answers late: the call goes on when the budget is used up',
  'Zammad is down: the call goes on at once, and is told when it is back',
  'an emergency number, behind the gate’s prefix and an outside line, is not asked about',
  'a click, asked of the bridge: the agent declines, and no call comes of it',
]);
/** Where an old Asterisk might do otherwise than a new one. */
const ARI_IN_SHORT: ReadonlySet<string> = new Set([
  'a blocked caller of a ring group hears busy, and no phone rings',
  'Zammad names the number that an outbound call shows, as caller_id',
  'a click: the agent takes it, the customer rings, both talk',
  'a click: two phones of the agent are taken at the same moment, and the customer is called once',
  'clicks of which nothing comes: words for each, and no call',
  'Zammad hangs and never answers: the call goes on when the budget is used up',
  'the bridge crashes (kill -9) while a call waits at the gate: it goes on',
  'the bridge crashes while a call waits in Stasis: the next one lets it go as soon as it is connected',
]);

type Series = '22' | '16';
/** Undefined, and a test that says why is skipped: it cannot be had here. */
async function installed(series: Series, what: string): Promise<AsteriskInstallation | undefined> {
  jest.setTimeout(60_000);
  const installation = await installAsterisk(series);
  if (installation.kind !== 'unavailable') return installation;
  test.skip(`real calls through Asterisk ${series}${what}: ${installation.reason}`, () => undefined);
  return undefined;
}
const TROUBLE = { gate: true, troubled: true } as const;

/** Plays the scenarios with Asterisk `series`, heard over its manager interface. */
export async function describeAmi(series: Series): Promise<void> {
  const installation = await installed(series, '');
  if (installation === undefined) return;
  const pbx = `Asterisk ${installation.version}`;
  describeLive(`${pbx}: everyday calls`, installation, {}, everydayCalls);
  describeLive(`${pbx}: rough weather`, installation, { troubled: true }, roughWeather);
  const gated = [...gateCalls(BY_FAST_AGI), secondGate, ...clickedCalls('ami')];
  describeLive(`${pbx}: before any phone rings, and by a click`, installation, { gate: true }, gated);
  const unanswered = [...gateTrouble(BY_FAST_AGI), ...clicksInTrouble];
  describeLive(`${pbx}: a gate that gets no answer, a click that breaks`, installation, TROUBLE, unanswered);
  const overTls = `${pbx}: over TLS, trunks discovered`;
  if (await hasOpenssl()) describeLive(overTls, installation, { tls: true, discoverTrunks: true }, fewCalls);
  else test.skip(`${overTls}: no openssl here`, () => undefined);
}

/** The same over ARI: what is heard or done in another way there. */
export async function describeAri(series: Series): Promise<void> {
  const installation = await installed(series, ', over ARI');
  if (installation === undefined) return;
  const pbx = `Asterisk ${installation.version}`;
  const all = [
    ...gateCalls(BY_STASIS),
    ...clickedCalls('ari'),
    ...gateTrouble(BY_STASIS),
    crowd(BY_STASIS),
    strandedInStasis,
  ];
  const scenarios =
    series === '22'
      ? [...all.filter(({ name }) => !ALIKE.has(name)), ...ariWeather]
      : all.filter(({ name }) => ARI_IN_SHORT.has(name));
  describeLive(`${pbx}: over ARI, gated and by a click`, installation, { ...TROUBLE, over: 'ari' }, scenarios);
  const overTls = `${pbx}: over ARI with TLS, trunks discovered`;
  const safe = { over: 'ari', tls: true, discoverTrunks: true } as const;
  if (await hasOpenssl()) describeLive(overTls, installation, safe, ariCalls);
  else test.skip(`${overTls}: no openssl here`, () => undefined);
}

const COMPLAINT = /"level":"(warn|error|fatal)"/;

interface LiveOptions extends StageOptions {
  /** The bridge has something to complain about. */
  readonly troubled?: boolean;
}

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
  options: LiveOptions,
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
      if (options.troubled !== true) expect(bridge.log.split('\n').filter((line) => COMPLAINT.test(line))).toEqual([]);
    });
  });
}
