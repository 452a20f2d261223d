/** `/dial`: the agent's page. It holds nothing of anybody; what it shows it asks `/api/v1` for. A GET never dials. */
import { readFile } from 'node:fs/promises';
import type { RouteModule } from '../routes.js';
import { factsOf } from './request-facts.js';
import { createTransportJudge } from './transport.js';

const FILES = {
  '/dial': ['dial.html', 'text/html; charset=utf-8'],
  '/dial/': ['dial.html', 'text/html; charset=utf-8'],
  '/dial/app.js': ['app.js', 'text/javascript; charset=utf-8'],
  '/dial/switch.js': ['switch.js', 'text/javascript; charset=utf-8'],
  '/dial/texts.js': ['texts.js', 'text/javascript; charset=utf-8'],
  '/dial/style.css': ['style.css', 'text/css; charset=utf-8'],
  '/dial/icon.svg': ['icon.svg', 'image/svg+xml'],
} as const;

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** @param trustProxy addresses of the reverse proxies that are trusted. */
export const pageRoutes = (trustProxy: readonly string[]): RouteModule => ({
  name: 'dial page',
  register: async (app) => {
    const judge = createTransportJudge(trustProxy);
    for (const [path, [file, type]] of Object.entries(FILES)) {
      const body = await readFile(new URL(`../web/${file}`, import.meta.url), 'utf8');
      app.get(path, (request, reply) => {
        const transport = judge(factsOf(request));
        // Or somebody would paste his token into a page that sends it in clear.
        if (transport.kind === 'unfit')
          return reply
            .code(transport.status)
            .type('text/plain; charset=utf-8')
            .send(`${transport.message} [${transport.code}]\n`);
        return reply.type(type).header('content-security-policy', POLICY).send(body);
      });
    }
  },
});
