/** `/api/v1/agents/EXTENSION/state`: whether an agent wishes to be disturbed. Each sees and sets his own only. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Clock } from '../../clock.js';
import { RateLimit } from '../../dial/rate-limit.js';
import { errorBody } from '../replies.js';
import { AGENT_STATES, type AgentStateSet, type AgentStateShown, type AgentStatesDesk } from './agent-states.js';
import type { AgentRoutes } from './asking.js';
import type { SignedIn } from './door.js';

const PATH = '/agents/:extension/state';
const stateBody = z.strictObject({ state: z.enum(AGENT_STATES) });
/** Each is an order to every PBX. A person changes his mind less often. */
const SETS_A_MINUTE = 20;

export const stateRoutes = (desk: AgentStatesDesk, clock: Clock): AgentRoutes => ({
  name: 'states',
  register: (app, { signedIn }) => {
    const rate = new RateLimit(SETS_A_MINUTE);
    /** The agent of the path, if it is the one who asks; else the refusal is sent. */
    const own = (request: FastifyRequest, reply: FastifyReply): SignedIn | undefined => {
      const who = signedIn(request);
      if ((request.params as { readonly extension: string }).extension === who.agent) return who;
      void reply
        .code(403)
        .send(errorBody('ZPB_AGENT_FOREIGN', `You are signed in for extension ${who.agent}, and for no other.`));
      return undefined;
    };

    app.get(PATH, async (request, reply) => {
      const who = own(request, reply);
      if (who === undefined) return reply;
      const state = desk.state(who.agent);
      return state === undefined ? reply.code(404).send(UNKNOWN) : reply.send(shown(state));
    });
    app.put(PATH, async (request, reply) => {
      const who = own(request, reply);
      if (who === undefined) return reply;
      const body = stateBody.safeParse(request.body);
      if (!body.success) return reply.code(400).send(BAD_BODY);
      const wait = rate.take(who.agent, clock.monotonic());
      if (wait > 0)
        return reply
          .code(429)
          .header('retry-after', String(Math.ceil(wait / 1000)))
          .send(TOO_OFTEN);
      const set = await desk.set(who.agent, body.data.state, who.csrf === undefined ? 'api' : 'page');
      return set === undefined ? reply.code(404).send(UNKNOWN) : reply.send(shownSet(set));
    });
  },
});

const UNKNOWN = errorBody('ZPB_HTTP_NOT_FOUND', 'There is no such agent in the configuration.');
const BAD_BODY = errorBody(
  'ZPB_HTTP_BAD_REQUEST',
  'Send {"state": "do-not-disturb"} or {"state": "available"} and nothing else.',
);
const TOO_OFTEN = errorBody(
  'ZPB_AGENT_STATE_RATE',
  `Not more than ${SETS_A_MINUTE} changes in a minute: try again in a moment.`,
);

const shown = ({ extension, state, since, by }: AgentStateShown): object => ({
  agent: extension,
  state,
  since: since === undefined ? null : new Date(since).toISOString(),
  by: by ?? null,
});

const shownSet = (set: AgentStateSet): object => ({
  ...shown(set),
  kept: set.kept,
  pbx: set.pbxs.map(({ pbx, outcome, reason }) => ({
    name: pbx,
    outcome,
    ...(reason === undefined ? {} : { reason }),
  })),
});
