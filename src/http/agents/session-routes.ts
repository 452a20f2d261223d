/** Signing a browser in with a token, and out. */
import type { Logger } from 'pino';
import { z } from 'zod';
import { errorBody } from '../replies.js';
import { OPEN, type AgentRoutes } from './asking.js';
import { cookieHeader, readCookie } from './cookie.js';
import type { AgentDoor, SignedIn } from './door.js';
import { NOT_NOW, notNowBody, orNotNow } from './not-now.js';

const signInBody = z.strictObject({ token: z.string().max(200) });

/** What a page is told of who it works for. */
const shown = ({ agent, name, csrf }: SignedIn): object => ({ agent, name, csrf });

export const sessionRoutes = (door: AgentDoor, log: Logger): AgentRoutes => ({
  name: 'session',
  register: (app, { signedIn, transport }) => {
    app.post('/session', { config: OPEN }, async (request, reply) => {
      const body = signInBody.safeParse(request.body);
      if (!body.success)
        return reply.code(400).send(errorBody('ZPB_HTTP_BAD_REQUEST', 'Send {"token": "…"} and nothing else.'));
      const before = readCookie(request.headers.cookie, transport(request).secure);
      const session = await orNotNow(door.signIn(body.data.token.trim(), before), log);
      if (session === NOT_NOW) return reply.code(503).send(notNowBody);
      if (session === undefined)
        return reply
          .code(401)
          .send(errorBody('ZPB_TOKEN_UNKNOWN', 'This token is unknown or was revoked. Ask your admin for a new one.'));
      return reply
        .header('set-cookie', cookieHeader(session.text, session.lasts, transport(request).secure))
        .send(shown(session));
    });
    app.get('/session', (request) => shown(signedIn(request)));
    app.delete('/session', async (request, reply) => {
      const who = signedIn(request);
      // With a token there is no session; a token is ended by the admin.
      const out = who.csrf === undefined ? undefined : await orNotNow(door.signOut(who), log);
      if (out === NOT_NOW) return reply.code(503).send(notNowBody);
      return reply
        .header('set-cookie', cookieHeader('', 0, transport(request).secure))
        .code(204)
        .send();
    });
  },
});
