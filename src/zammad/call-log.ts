import { z } from 'zod';
import type { Answer } from './judge-status.js';
import type { CallLogResult } from './outcome.js';
import { parseJson } from './parse-json.js';

/**
 * `GET /api/v1/cti/log`: `{ list: [{ call_id, state, done, direction, from, to, … }], assets, backends }`, newest first. Not all rows:
 * as many as Zammad's setting `view_limit` says (60), of the queues that the token's user is to see.
 */
const callLogSchema = z.object({
  list: z.array(
    z.object({
      call_id: z.string(),
      state: z.string(),
      done: z.boolean().nullish(),
      direction: z.enum(['in', 'out']).optional().catch(undefined),
      from: z.string().optional().catch(undefined),
      to: z.string().optional().catch(undefined),
    }),
  ),
});

export function parseCallLog(answer: Answer, origin: string): CallLogResult {
  const { status } = answer;
  if (status === 401 || status === 403) {
    return {
      kind: 'denied',
      message:
        `${origin} does not let the API token read its caller log (${status}). In Zammad: give the token's user a role ` +
        'with the permission cti.agent, and the token itself too (Profile → Token Access)',
    };
  }
  if (status !== 200 || answer.cut !== undefined) {
    return { kind: 'failed', message: `${origin} answered the request for its caller log with status ${status}` };
  }
  const parsed = callLogSchema.safeParse(parseJson(answer.body));
  if (!parsed.success) return { kind: 'failed', message: `${origin} sent a caller log that is not in the known shape` };
  return {
    kind: 'calls',
    calls: parsed.data.list.map(({ call_id, done, ...row }) => ({ callId: call_id, done: done === true, ...row })),
  };
}
