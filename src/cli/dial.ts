import { apiOptions, apiTarget, askApi, replyWords, type ApiReply } from './api-client.js';
import { EXIT, jsonOption, type Command } from './command.js';

/** Longer than any phone may ring (dial.ringFor), ms. */
const DEADLINE = 70_000;
/** As in sysexits.h. */
const UNAVAILABLE = 69;
const NOT_ALLOWED = 77;

export const command: Command = {
  summary: "Ring an agent's phone and dial a number for him.",
  usage: 'dial EXTENSION NUMBER [options]',
  args: { min: 2, max: 2 },
  options: { ...apiOptions, json: jsonOption },
  details: `Asks the running bridge: the agent's own phone rings, and when he takes it, the number is dialled. The token must be the agent's own
("token create EXTENSION"). Waits until he has taken it, or nothing can come of it.

Status 0: he has taken it, and the number is being dialled. 1: nothing came of it; the line says why. 69: the bridge cannot be
reached, or does not speak for the PBX now. 77: the token is not accepted, or not for this agent or number.
--json prints {"status", "reason", "words", "number", "callId", …} as the API answers, or {"error": {"code", "message"}}.`,
  async run({ args, options, env, stdout, stderr, signal }) {
    const [agent = '', number = ''] = args;
    const target = apiTarget({ options, env });
    const question = { method: 'POST', path: '/calls', body: { agent, number }, deadline: DEADLINE, signal } as const;
    let reply: ApiReply;
    try {
      reply = await askApi(target, question);
    } catch (thrown) {
      const { code, message } = thrown as { readonly code: string; readonly message: string };
      if (options['json'] === true) stdout.write(`${JSON.stringify({ error: { code, message } })}\n`);
      else stderr.write(`${message}\n`);
      return UNAVAILABLE;
    }
    const status = exitStatus(reply.status);
    if (options['json'] === true)
      stdout.write(
        `${JSON.stringify(reply.body ?? { error: { code: 'ZPB_API_UNREACHABLE', message: replyWords(reply) } })}\n`,
      );
    else (status === EXIT.ok ? stdout : stderr).write(`${replyWords(reply)}\n`);
    return status;
  },
};

function exitStatus(status: number): number {
  if (status === 200) return EXIT.ok;
  if (status === 401 || status === 403) return NOT_ALLOWED;
  return status === 503 ? UNAVAILABLE : EXIT.failed;
}
