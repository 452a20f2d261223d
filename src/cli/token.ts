import type { Config } from '../config/model.js';
import { MOST_TOKENS, type Credential } from '../store/credentials.js';
import { UsageError } from './args.js';
import { configOption, EXIT, jsonOption, type Command, type CommandContext } from './command.js';
import { openDeskOf, type OpenDesk } from './open-desk.js';

export const command: Command = {
  summary: 'Make, list and revoke the tokens by which agents sign in.',
  usage: 'token create EXTENSION | list [EXTENSION] | revoke ID… [options]',
  args: { min: 1, max: 101 },
  options: {
    config: configOption,
    json: jsonOption,
    label: { type: 'string', value: 'TEXT', doc: 'create: what the token is for, such as "office computer".' },
  },
  details: `With a token an agent, or a program of his, has the bridge dial for him: POST /api/v1/calls, the page /dial, the command dial. It
speaks for one agent only, named by his extension.

"create" prints the token, once: the store keeps nothing but its hash. Give each device its own, so that one can be revoked alone.
"list" shows the ids, never the tokens. "revoke" ends them, and the browsers that were signed in with them, at once, also while the
bridge runs. The store must be a file or a PostgreSQL, and the bridge must have been started once. Status 1 if an ID was not there, or if there are ${MOST_TOKENS} tokens already.`,
  async run(context) {
    const [action = '', ...rest] = context.args;
    const task = ACTIONS[action];
    if (task === undefined || !Object.hasOwn(ACTIONS, action))
      throw new UsageError(`token: there is no ${JSON.stringify(action)}; there are create, list and revoke`);
    const { min, max } = task;
    if (rest.length < min || rest.length > max)
      throw new UsageError(`token ${action}: ${rest.length < min ? 'an argument is missing' : 'too many arguments'}`);
    const { label } = context.options;
    if (label !== undefined && action !== 'create') throw new UsageError('token: --label belongs to create');
    if (typeof label === 'string' && !/^[^\p{Cc}]{1,100}$/u.test(label))
      throw new UsageError('token: --label must be one line of up to 100 characters');
    const open = await openDeskOf(context);
    try {
      return await task.run(context, open, rest);
    } finally {
      await open.close();
    }
  },
};

interface Action {
  readonly min: number;
  readonly max: number;
  run(context: CommandContext, open: OpenDesk, args: readonly string[]): Promise<number>;
}
const ACTIONS: Readonly<Record<string, Action>> = {
  create: { min: 1, max: 1, run: create },
  list: { min: 0, max: 1, run: list },
  revoke: { min: 1, max: 100, run: revoke },
};

async function create(context: CommandContext, { config, desk }: OpenDesk, [extension = '']: readonly string[]) {
  const { options, stdout, stderr } = context;
  const agent = config.agents.find((one) => one.extension === extension);
  if (agent === undefined) throw new UsageError(`token create: ${noSuchAgent(extension, config)}`);
  const { mint } = await import('../access/secret-text.js');
  const { id, text, hash } = mint('token');
  const label = typeof options['label'] === 'string' ? options['label'] : undefined;
  const credential = { id, kind: 'token', agent: extension, hash, label, createdAt: Date.now() } as const;
  if (!(await desk.credentials.add(credential))) {
    stderr.write(`no token was made: the store holds ${MOST_TOKENS} already; end some with "token revoke"\n`);
    return EXIT.failed;
  }
  if (options['json'] === true) stdout.write(`${JSON.stringify({ ...asJson(credential), token: text }, null, 2)}\n`);
  else {
    stdout.write(`${text}\n`);
    stderr.write(`token ${id} of ${agent.name} (${extension}); it is not shown again\n`);
  }
  return EXIT.ok;
}

async function list(context: CommandContext, { config, desk }: OpenDesk, [extension]: readonly string[]) {
  const { options, stdout, stderr } = context;
  const tokens = await desk.credentials.tokens(extension);
  if (options['json'] === true) {
    stdout.write(`${JSON.stringify({ tokens: tokens.map(asJson) }, null, 2)}\n`);
    return EXIT.ok;
  }
  for (const token of tokens) stdout.write(`${describe(token, config)}\n`);
  if (tokens.length === 0) stderr.write('there is no token\n');
  return EXIT.ok;
}

async function revoke({ options, stdout, stderr }: CommandContext, { desk }: OpenDesk, ids: readonly string[]) {
  const revoked: Credential[] = [];
  const missing: string[] = [];
  for (const id of new Set(ids)) {
    const token = await desk.credentials.revoke(id);
    if (token === undefined) missing.push(id);
    else revoked.push(token);
  }
  if (options['json'] === true) stdout.write(`${JSON.stringify({ tokens: revoked.map(asJson), missing }, null, 2)}\n`);
  else for (const { id, agent } of revoked) stdout.write(`${id}  of agent ${agent}: revoked\n`);
  for (const id of missing) stderr.write(`there is no token ${JSON.stringify(id)}; "token list" shows them\n`);
  return missing.length > 0 ? EXIT.failed : EXIT.ok;
}

const asJson = ({ id, agent, label, createdAt }: Credential): object => ({
  id,
  agent,
  label: label ?? null,
  createdAt: new Date(createdAt).toISOString(),
});

function describe({ id, agent, label, createdAt }: Credential, { agents }: Config): string {
  const name = agents.find(({ extension }) => extension === agent)?.name ?? 'not configured any more: of no use';
  const made = new Date(createdAt).toISOString().slice(0, 10);
  return `${id}  ${agent.padEnd(6)} ${name}, made ${made}${label === undefined ? '' : `: ${label}`}`;
}

function noSuchAgent(extension: string, { agents }: Config): string {
  const known = agents.slice(0, 20).map((agent) => agent.extension);
  const more = agents.length > known.length ? ', …' : '';
  return `no agent has the extension ${JSON.stringify(extension)}; configured are ${known.join(', ') || 'none'}${more}`;
}
