/** Click-to-call through the whole program: an agent asks over HTTP, a FreeSWITCH does what a real one was recorded to do. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adapter } from '../../../adapters/freeswitch/index.js';
import { mint } from '../../../src/access/secret-text.js';
import { systemClock } from '../../../src/clock.js';
import { startStandIn } from '../../../src/stand-in/server.js';
import type { StandIn } from '../../../src/stand-in/stand-in.js';
import { openDesk } from '../../../src/store/open-store.js';
import { freePort } from '../../lab/free-ports.js';
import { type Answer, askServer } from '../../support/dial-bench.js';
import { blockWith, OutboundCall, recordedGate } from '../../support/fake-outbound-socket.js';
import { FREESWITCH_AGENTS } from '../../support/freeswitch-bench.js';
import type { TimedEvent } from '../../support/freeswitch-cases.js';
import { type Originate, readOriginate } from '../../support/freeswitch-desk.js';
import { PlayedFreeSwitch, recorded } from '../../support/played-freeswitch.js';
import { waitFor, within } from '../../support/wait-for.js';
import { entryOf, silent, startWholeBridge, type WholeBridge } from '../../support/whole-bridge.js';

/** The agent's leg in the recording, and whom he calls. */
const LEG = '11111111-2222-4333-8444-555555555501';
const NUMBER = '+493023125807';
const SPEED = 20;

let directory: string;
let zammad: StandIn;
let pbx: PlayedFreeSwitch;
let bridge: WholeBridge;
let gatePort: number;
let token: string;
let orders: (Originate | undefined)[];
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'zpb-fs-dial-'));
  zammad = await startStandIn();
  pbx = await new PlayedFreeSwitch().start();
  gatePort = await freePort();
  const store = { kind: 'sqlite', durability: 'normal', keep: 86_400_000, path: join(directory, 'db') } as const;
  bridge = await startWholeBridge({
    zammad: [entryOf('main', zammad)],
    agents: FREESWITCH_AGENTS.map((agent) =>
      agent.extension === '1000' ? { ...agent, autoAnswer: { name: 'Call-Info', value: ';answer-after=0' } } : agent,
    ),
    pbx: [
      {
        name: 'pbx',
        port: pbx.esl.port,
        other: {
          adapter,
          settings: {
            password: 'ClueCon',
            gate: { port: gatePort },
            dial: { context: 'default', domain: 'pbx.example.test' },
          },
        },
      },
    ],
    httpPort: await freePort(),
    store: { ...store, chosen: true },
  });
  await waitFor('the PBX to be heard', () => bridge.app.health().pbx[0]?.state === 'hearing');
  const made = mint('token');
  const metrics = { count: () => undefined, gauge: () => undefined };
  const desk = await openDesk(store, { clock: systemClock, random: Math.random, log: silent, metrics });
  await desk.credentials.add({ id: made.id, kind: 'token', agent: '1000', hash: made.hash, createdAt: Date.now() });
  await desk.close();
  token = made.text;
  orders = [];
});
afterEach(async () => {
  await bridge.stop();
  await pbx.die();
  await zammad.stop();
  rmSync(directory, { recursive: true, force: true });
});

const click = (number = NUMBER): Promise<Answer> =>
  askServer(bridge.app.url!, {
    method: 'POST',
    path: '/api/v1/calls',
    headers: { authorization: `Bearer ${token}` },
    body: { number },
  });
/** An order to dial has these events, and then this result. */
function dialled(events: readonly TimedEvent[], result: string): void {
  pbx.originate = (command) => {
    orders.push(readOriginate(command));
    return { later: pbx.play(events, SPEED).then(() => result) };
  };
}
const posts = (): unknown =>
  zammad.requests().flatMap(({ event, accepted, params }) => (accepted ? [{ event, callId: params?.['callId'] }] : []));
const over = (): Promise<unknown> =>
  zammad.when(
    (now) => now.log().some(({ state }) => state === 'hangup') && now.requests().every(({ state }) => state !== 'open'),
  );

const clicked = recorded('click-to-dial-bridge');
const taken = clicked.findIndex(({ event }) => event.name === 'CHANNEL_ANSWER') + 1;

test('the agent takes it, the number is dialled: one outbound call of his, under the id that he was told', async () => {
  dialled(clicked.slice(0, taken), `+OK ${LEG}\n`);
  expect(await click()).toMatchObject({ status: 200, json: { status: 'done', reason: 'taken', callId: `pbx-${LEG}` } });
  expect(orders).toMatchObject([
    { phones: ['user/1000@pbx.example.test'], number: '03023125807', dialplan: 'XML', context: 'default' },
  ]);
  expect(Object.fromEntries(orders[0]?.variables ?? [])).toMatchObject({
    origination_caller_id_number: NUMBER,
    'sip_h_Call-Info': ';answer-after=0',
  });
  // Before the number is dialled there is no call with a customer.
  expect(posts()).toEqual([]);
  await pbx.play(clicked.slice(taken), SPEED);
  await over();
  expect(zammad.log()).toMatchObject([
    { direction: 'out', to: '493023125807', from: '493023125100', done: true, comment: 'normalClearing' },
  ]);
  expect(zammad.requests().find(({ event }) => event === 'newCall')?.params).toMatchObject({ user: ['Alice Agent'] });
  expect(posts()).toEqual(['newCall', 'answer', 'hangup'].map((event) => ({ event, callId: `pbx-${LEG}` })));
});

/** What FreeSWITCH says of the agent's leg in `socket`: it was dialled by FreeSWITCH, and then sent on to the number. */
const blockOfClick = (): string =>
  blockWith(recordedGate('gate-out-callerid-setvar').block, {
    'Unique-ID': LEG,
    'Call-Direction': 'outbound',
    'Caller-Direction': 'outbound',
    'Caller-Profile-Index': '2',
    // Turned round when he had taken it, as recorded.
    'Caller-Caller-ID-Number': '1000',
    'Caller-Orig-Caller-ID-Number': NUMBER,
    'Caller-Callee-ID-Number': NUMBER,
    'Caller-Destination-Number': '03023125807',
    'Channel-Presence-ID': '1000@pbx.example.test',
    'Channel-Name': 'sofia/internal/gw+u1000@127.0.0.1:15070',
    'Answer-State': 'answered',
    variable_sip_auth_username: undefined,
    variable_user_name: undefined,
    variable_dialed_user: '1000',
    variable_dialed_domain: 'pbx.example.test',
  });

test('its dialplan asks at the gate: told there, once, and the number that Zammad names is shown', async () => {
  zammad.change({ routingTable: [{ dest: '4930*', callerId: '493023125777' }] });
  dialled(clicked.slice(0, taken), `+OK ${LEG}\n`);
  expect(await click()).toMatchObject({ status: 200, json: { callId: `pbx-${LEG}` } });
  const call = OutboundCall.enter({ port: gatePort, block: blockOfClick() });
  expect(await within(5_000, 'the dialplan to go on', call.end)).toEqual({ kind: 'goes on' });
  expect(call.variables.get('ZAMMAD_ACTION')).toBe('dial');
  expect(call.variables.get('ZAMMAD_CALLER_ID')).toBe('493023125777');
  await pbx.play(clicked.slice(taken), SPEED);
  await over();
  expect(zammad.requests().find(({ event }) => event === 'newCall')?.params).toMatchObject({
    direction: 'out',
    from: '1000',
    to: '493023125807',
    user: ['Alice Agent'],
  });
  expect(posts()).toEqual(['newCall', 'answer', 'hangup'].map((event) => ({ event, callId: `pbx-${LEG}` })));
});

test('the agent declines: he is told so, and there was no call', async () => {
  dialled(recorded('click-to-dial-agent-declines'), '-ERR CALL_REJECTED\n');
  expect(await click()).toMatchObject({
    status: 409,
    json: {
      status: 'refused',
      reason: 'declined',
      said: 'CALL_REJECTED',
      words: 'The call was declined at extension 1000.',
    },
  });
  // A call that follows is told: whatever was to be told before it has been.
  dialled(clicked.slice(0, taken), `+OK ${LEG}\n`);
  await click();
  await pbx.play(clicked.slice(taken), SPEED);
  await over();
  expect(posts()).toEqual(['newCall', 'answer', 'hangup'].map((event) => ({ event, callId: `pbx-${LEG}` })));
});
