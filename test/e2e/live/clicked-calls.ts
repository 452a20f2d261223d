/** Click-to-call: the agent's own phone rings first, and what he takes is one outbound call of his. */
import type { OriginateOrder, OriginateOutcome } from '../../../src/pbx/adapter.js';
import { refuses } from '../../lab/sip-host.js';
import { headerOf } from '../../lab/sip-message.js';
import { clickingAdapter } from './clicking-adapter.js';
import { gatedOutbound, mustShow, ROUTES, SHOWN } from './gate-calls.js';
import { outbound, OUTSIDE, type Scenario } from './scenario.js';
import { AUTO_ANSWER, type Stage } from './stage.js';

const ORDER: OriginateOrder = {
  agent: { extension: '100', devices: [] },
  number: OUTSIDE,
  shown: 'Müller & Söhne, "Berlin"',
  ringFor: 5_000,
};
type Interface = 'ami' | 'ari';
type Click = (more?: Partial<OriginateOrder>) => Promise<OriginateOutcome>;

/** Plays with an adapter that is stopped at the end, whatever happens. */
async function clicking(
  stage: Stage,
  over: Interface,
  play: (click: Click) => Promise<void>,
  dial?: object,
): Promise<void> {
  const adapter = await clickingAdapter(stage.lab.pbx, over, dial);
  try {
    await play((more) => adapter.originate({ ...ORDER, ...more }));
  } finally {
    await adapter.stop();
  }
}

/** The agent takes it, the number rings, both talk, the agent hangs up. Returns both ends. */
async function talkByClick(stage: Stage) {
  const alice = await stage.lab.phones.callTo('100');
  await alice.answer();
  const outside = await stage.lab.carrier.callTo(OUTSIDE);
  await outside.answer();
  await Promise.all([alice.hears(), outside.hears()]);
  const row = await stage.shows('493012345678', 'answer');
  await alice.hangUp();
  await outside.reaches('ended');
  return { alice, outside, row };
}

function mustHold(text: string | undefined, part: string): void {
  if (text?.includes(part) !== true) throw new Error(`${text ?? 'nothing'} does not hold ${part}`);
}
function mustBe(what: string, is: unknown, wanted: unknown): void {
  if (is !== wanted) throw new Error(`${what} is ${String(is)}, not ${String(wanted)}`);
}

/** Asked of the adapter itself. */
const talks = (over: Interface, name: string, dial?: object): Scenario => ({
  name: `a click: ${name}`,
  calls: [outbound('100', { answered: true, cause: 'normalClearing' })],
  play: (stage) =>
    clicking(
      stage,
      over,
      async (click) => {
        const clicked = click({ autoAnswer: AUTO_ANSWER });
        const { alice, outside, row } = await talkByClick(stage);
        const outcome = await clicked;
        mustBe('the call', row.callId, outcome.kind === 'done' ? `office-${outcome.leg}` : outcome.reason);
        mustHold(alice.invite && headerOf(alice.invite, 'call-info'), AUTO_ANSWER.value);
        mustHold(alice.invite && headerOf(alice.invite, 'from'), `"Müller & Söhne, \\"Berlin\\"" <sip:${OUTSIDE}@`);
        mustShow('+49305550100', outside);
      },
      dial,
    ),
});

const bothTaken = (over: Interface): Scenario => ({
  name: 'a click: two phones of the agent are taken at the same moment, and the customer is called once',
  calls: [{ ...outbound('109', { answered: true, cause: 'normalClearing' }), from: '49305550109' }],
  play: (stage) =>
    clicking(stage, over, async (click) => {
      const { phones, carrier } = stage.lab;
      // (An endpoint with two contacts.)
      const clicked = click({ agent: { extension: '109', devices: [] } });
      const both = await Promise.all([phones.callTo('109'), phones.callTo('1091')]);
      await Promise.all(both.map((phone) => phone.answer()));
      const outcome = await clicked;
      const outside = await carrier.callTo(OUTSIDE);
      await outside.answer();
      const row = await stage.shows('493012345678', 'answer');
      mustBe('the call', row.callId, outcome.kind === 'done' ? `office-${outcome.leg}` : outcome.reason);
      const winner = await Promise.any(both.map((phone) => phone.hears().then(() => phone)));
      await Promise.all(both.filter((phone) => phone !== winner).map((phone) => phone.reaches('ended')));
      await winner.hangUp();
      await outside.reaches('ended');
      mustBe('the number of calls to the customer', carrier.taken(OUTSIDE).length, 1);
    }),
});

export const clickedCalls = (over: Interface): readonly Scenario[] => [
  talks(over, 'the agent takes it, the customer rings, both talk'),
  talks(over, 'the dialplan rings the agent, over a Local channel', {
    context: 'from-internal',
    phone: 'Local/{extension}@ring-agents',
  }),
  bothTaken(over),
  {
    name: 'a click, asked of the bridge, through the gate: the customer sees the number that Zammad names',
    calls: [gatedOutbound(SHOWN)],
    async play(stage) {
      stage.zammad.change({ routingTable: ROUTES });
      const clicked = stage.click('100', 'tel:+49-30-12345678');
      const { alice, outside, row } = await talkByClick(stage);
      const { status, answer } = await clicked;
      mustBe('the status', status, 200);
      mustBe('the call', row.callId, answer.callId);
      mustHold(alice.invite && headerOf(alice.invite, 'call-info'), AUTO_ANSWER.value);
      mustHold(alice.invite && headerOf(alice.invite, 'from'), '+493012345678');
      mustShow(SHOWN, outside);
    },
  },
  {
    name: 'a click, asked of the bridge: the agent declines, and no call comes of it',
    calls: [],
    async play(stage) {
      stage.lab.phones.behave('100', refuses(603));
      const { status, answer } = await stage.click('100', '030 12345678');
      mustBe('the status', status, 409);
      mustBe('the reason', answer.reason, 'declined');
      mustHold(answer.said, 'Call Rejected (21)');
      nobodyCalled(stage);
    },
  },
  {
    name: 'clicks of which nothing comes: words for each, and no call',
    calls: [],
    play: (stage) =>
      clicking(stage, over, async (click) => {
        const { phones } = stage.lab;
        phones.behave('100', refuses(603));
        phones.behave('101', refuses(486));
        const of = (extension: string, number = OUTSIDE): Promise<OriginateOutcome> =>
          click({ agent: { extension, devices: [] }, number, ringFor: 400 });
        const outcomes = await Promise.all([
          of('100'),
          of('101'),
          of('102'),
          of('106'),
          of('107'),
          of('199'),
          of('103', '777'),
          // (It has two phones.)
          of('109', '777'),
        ]);
        const why = outcomes.map((outcome) => (outcome.kind === 'done' ? 'done' : outcome.why)).join();
        // Over ARI nobody can ask whether the dialplan has a number.
        const last = over === 'ami' ? 'failed' : 'no-answer';
        mustBe('why', why, `declined,busy,no-answer,not-registered,not-registered,unknown-extension,${last},${last}`);
        if (over === 'ami') mustBe('phones rung for no number', phones.taken('109').length, 0);
        nobodyCalled(stage);
      }),
  },
];

/** In which the bridge has something to complain about. */
export const clicksInTrouble: readonly Scenario[] = [
  {
    name: 'the wire breaks while a clicked call rings: said so, and who takes it is put through and told all the same',
    calls: [outbound('100', { answered: true, cause: 'normalClearing' })],
    async play(stage) {
      const clicked = stage.click('100', OUTSIDE);
      const alice = await stage.lab.phones.callTo('100');
      await stage.cutWire();
      const { status, answer } = await clicked;
      mustBe('the status', status, 504);
      mustBe('the reason', answer.reason, 'not-heard');
      await alice.answer();
      const outside = await stage.lab.carrier.callTo(OUTSIDE);
      await stage.mendWire();
      await outside.answer();
      await Promise.all([alice.hears(), outside.hears()]);
      await stage.shows('493012345678', 'answer');
      await alice.hangUp();
      await outside.reaches('ended');
    },
  },
];

const nobodyCalled = ({ lab }: Stage): void => {
  mustBe('the number of calls to the customer', lab.carrier.taken(OUTSIDE).length, 0);
};
