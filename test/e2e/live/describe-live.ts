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
import { deafToOrders } from './limited-logins.js';
import { OTHER_SITE, otherSiteCalls } from './other-site-calls.js';
import { roughWeather } from './rough-weather.js';
import type { Scenario } from './scenario.js';
import { Stage, type StageOptions } from './stage.js';
import { ungatedCalls } from './ungated-calls.js';

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

/** Besides what is heard of every call: where an old Asterisk might do otherwise than a new one. */
const ARI_IN_SHORT: ReadonlySet<string> = new Set([
  ...gateCalls(BY_STASIS).map(({ name }) => name),
  ...clickedCalls('ari').map(({ name }) => name),
  'Zammad hangs and never answers: the call goes on when the budget is used up',
  'the bridge crashes (kill -9) while a call waits at the gate: it goes on',
  'the bridge crashes while a call waits in Stasis: the next one lets it go as soon as it is connected',
]);

/** What a log says that a dialplan lacks. */
const AGI_LINE = 'AGI(agi://127.0.0.1:4573/gate?number=${EXTEN})';
const STASIS_LINE = 'Stasis(zammad,number=${EXTEN})';

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
/** A Zammad that takes its time, as a real one does. */
const SLOW_ZAMMAD = { ...TROUBLE, processingTime: 30 } as const;

/** Plays the scenarios with Asterisk `series`, heard over its manager interface. */
export async function describeAmi(series: Series): Promise<void> {
  const installation = await installed(series, '');
  if (installation === undefined) return;
  const pbx = `Asterisk ${installation.version}`;
  describeLive(`${pbx}: everyday calls`, installation, {}, everydayCalls);
  describeLive(`${pbx}: rough weather`, installation, { troubled: true }, roughWeather);
  const overTls = `${pbx}: over TLS, trunks discovered`;
  if (await hasOpenssl()) describeLive(overTls, installation, { tls: true, discoverTrunks: true }, fewCalls);
  else test.skip(`${overTls}: no openssl here`, () => undefined);
}

/** What the bridge does there: turns callers away, chooses caller ids, rings agents. */
export async function describeAmiOrders(series: Series): Promise<void> {
  const installation = await installed(series, ', with a gate');
  if (installation === undefined) return;
  const pbx = `Asterisk ${installation.version}`;
  const gated = [...gateCalls(BY_FAST_AGI), secondGate, ...clickedCalls('ami')];
  describeLive(`${pbx}: before any phone rings, and by a click`, installation, { gate: true }, gated);
  const unanswered = [...gateTrouble(BY_FAST_AGI), ...clicksInTrouble];
  describeLive(`${pbx}: a gate that gets no answer, a click that breaks`, installation, TROUBLE, unanswered);
  describeLive(`${pbx}: a site without a gate`, installation, { troubled: true }, ungatedCalls(AGI_LINE));
  const other = { ...TROUBLE, ...OTHER_SITE };
  if (series === '22') describeLive(`${pbx}: two Zammads`, installation, other, otherSiteCalls(BY_FAST_AGI));
  describeLive(`${pbx}: Zammad takes 30 ms a post`, installation, SLOW_ZAMMAD, [crowd(BY_FAST_AGI)]);
  const listener = { ...TROUBLE, login: 'bridge-listener' };
  describeLive(`${pbx}: a login that may hear only`, installation, listener, deafToOrders.ami);
}

/** The same over ARI: what is heard or done in another way there. */
export async function describeAri(series: Series): Promise<void> {
  const installation = await installed(series, ', over ARI');
  if (installation === undefined) return;
  const pbx = `Asterisk ${installation.version}`;
  const all = [...gateCalls(BY_STASIS), ...clickedCalls('ari'), ...gateTrouble(BY_STASIS), strandedInStasis];
  const scenarios = series === '22' ? [...all, ...ariWeather] : all.filter(({ name }) => ARI_IN_SHORT.has(name));
  const over = { over: 'ari' } as const;
  describeLive(`${pbx}: over ARI, gated and by a click`, installation, { ...TROUBLE, ...over }, scenarios);
  const noGate = { ...over, troubled: true };
  describeLive(`${pbx}: over ARI, a site without a gate`, installation, noGate, ungatedCalls(STASIS_LINE));
  const twoZammads = { ...TROUBLE, ...OTHER_SITE, ...over };
  if (series === '22')
    describeLive(`${pbx}: over ARI, two Zammads`, installation, twoZammads, otherSiteCalls(BY_STASIS));
  const slow = { ...SLOW_ZAMMAD, ...over };
  describeLive(`${pbx}: over ARI, Zammad takes 30 ms a post`, installation, slow, [crowd(BY_STASIS)]);
  const listener = { ...TROUBLE, ...over, login: 'bridge-read-only' };
  describeLive(`${pbx}: over ARI, a login that may read only`, installation, listener, deafToOrders.ari);
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
