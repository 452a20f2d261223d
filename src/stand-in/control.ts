import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Clock } from '../clock.js';
import { asError } from '../errors.js';
import { faultOrder } from './fault-rules.js';
import type { Faults } from './faults.js';
import { readBody, send } from './http-io.js';
import { wholeState, type FeedSource } from './live-feed.js';
import type { Settings } from './push-endpoint.js';
import { json, type Reply } from './reply.js';

const settingsPatch = z
  .strictObject({
    enabled: z.boolean(),
    configured: z.boolean(),
    viewLimit: z.int().min(1).max(10_000),
    blockList: z.array(z.string()),
    routingTable: z.array(z.strictObject({ dest: z.string(), callerId: z.string() })),
    defaultCallerId: z.string(),
    callerIdKey: z.enum(['caller_id', 'callerId']),
  })
  .partial();

export interface ControlContext {
  readonly faults: Faults;
  readonly source: FeedSource;
  readonly clock: Clock;
  readonly maxBody: number;
  change(patch: Partial<Settings>): void;
  clear(): void;
  /** Refuses connections for `ms`. */
  goDown(ms: number): void;
}

interface ControlReply {
  readonly reply: Reply;
  /** Done when the reply is out. */
  readonly then?: () => void;
}

/**
 * The control path, for programs that cannot use the JS API:
 * - `GET /stand-in/log.json`: rows and requests; `DELETE`: forget them
 * - `GET|POST|DELETE /stand-in/faults`, `DELETE /stand-in/faults/:id`
 * - `POST /stand-in/settings`: some of the admin's settings
 */
export async function control(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  context: ControlContext,
): Promise<void> {
  const body = await readBody(request, context.maxBody);
  if (body === 'gone') return;
  if (body === 'too-large') {
    await send(response, json(413, { error: 'The body is too large.' }), { connection: 'close' });
    request.destroy();
    return;
  }
  const { reply, then } = answer(request, path, body, context);
  await send(response, reply, { 'cache-control': 'no-store' });
  then?.();
}

function answer(request: IncomingMessage, path: string, body: Buffer, context: ControlContext): ControlReply {
  const { faults, source, clock } = context;
  const one = /^\/stand-in\/faults\/(\d+)$/.exec(path);
  const what = `${request.method ?? ''} ${one === null ? path : '/stand-in/faults/:id'}`;
  switch (what) {
    case 'GET /stand-in/log.json':
      return { reply: json(200, wholeState(source, clock)) };
    case 'DELETE /stand-in/log.json':
      context.clear();
      return { reply: json(200, {}) };
    case 'GET /stand-in/faults':
      return { reply: json(200, faults.list()) };
    case 'DELETE /stand-in/faults':
      faults.clear();
      return { reply: json(200, {}) };
    case 'DELETE /stand-in/faults/:id':
      return {
        reply: faults.remove(Number(one?.[1])) ? json(200, {}) : json(404, { error: 'There is no such fault.' }),
      };
    case 'POST /stand-in/faults':
      return obey(request, body, (value) => addFaults(z.array(faultOrder).parse([value].flat()), context));
    case 'POST /stand-in/settings':
      return obey(request, body, (value) => {
        const patch = settingsPatch.parse(value);
        context.change(Object.fromEntries(Object.entries(patch)));
        return { reply: json(200, {}) };
      });
    default:
      return { reply: json(404, { error: `There is no ${what} here.` }) };
  }
}

/** Only JSON that says so is obeyed: a foreign web page cannot send that without asking first. */
function obey(request: IncomingMessage, body: Buffer, act: (value: unknown) => ControlReply): ControlReply {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    return { reply: json(415, { error: 'Send JSON with Content-Type: application/json.' }) };
  }
  try {
    return act(JSON.parse(body.toString('utf8')));
  } catch (error) {
    return {
      reply: json(400, { error: error instanceof z.ZodError ? z.prettifyError(error) : asError(error).message }),
    };
  }
}

function addFaults(orders: readonly z.output<typeof faultOrder>[], context: ControlContext): ControlReply {
  let down: number | undefined;
  const ids: number[] = [];
  for (const order of orders) {
    if (order.kind === 'refuse') down = order.ms;
    else ids.push(context.faults.add(order));
  }
  const reply = json(200, { ids });
  const ms = down;
  return ms === undefined
    ? { reply }
    : {
        reply,
        then: () => {
          context.goDown(ms);
        },
      };
}
