/** `POST /calls`: has a number dialled for the agent who is signed in. */
import { z } from 'zod';
import type { DialAnswer, DialReason } from '../../dial/answer.js';
import { errorBody } from '../replies.js';
import type { AgentRoutes } from './asking.js';

/** Whom the HTTP room asks to dial. Never rejects. */
export interface CallMaker {
  dial(agent: string, number: string): Promise<DialAnswer>;
}

const callBody = z.strictObject({ agent: z.string().max(64).optional(), number: z.string().max(500) });

/** HTTP status of what became of it. */
const STATUS: Readonly<Record<DialReason, number>> = {
  taken: 200,
  'bad-number': 422,
  emergency: 422,
  'feature-code': 422,
  'own-number': 422,
  'number-denied': 403,
  'unknown-agent': 404,
  'unknown-extension': 404,
  'under-way': 409,
  'not-registered': 409,
  busy: 409,
  declined: 409,
  'no-answer': 409,
  'too-often': 429,
  'no-pbx': 500,
  'not-allowed': 502,
  failed: 502,
  cannot: 501,
  elsewhere: 503,
  'not-yet': 503,
  // Not 503, upon which proxies and programs try again, or elsewhere: the phone may be ringing.
  'not-heard': 504,
  unknown: 504,
};

export const callRoutes = (maker: CallMaker): AgentRoutes => ({
  name: 'calls',
  register: (app, { signedIn }) => {
    app.post('/calls', async (request, reply) => {
      const body = callBody.safeParse(request.body);
      if (!body.success)
        return reply
          .code(400)
          .send(errorBody('ZPB_HTTP_BAD_REQUEST', 'Send {"number": "…"}, perhaps with "agent", and nothing else.'));
      const { agent } = signedIn(request);
      if (body.data.agent !== undefined && body.data.agent !== agent)
        return reply
          .code(403)
          .send(errorBody('ZPB_DIAL_OTHER_AGENT', `This token is for agent ${agent}: nobody dials as somebody else.`));
      const answer = await maker.dial(agent, body.data.number);
      if (answer.retryAfter !== undefined) void reply.header('retry-after', String(answer.retryAfter));
      return reply.code(STATUS[answer.reason]).send(answer);
    });
  },
});
