import type { DeliveryState, OutboxItem } from '../store/outbox.js';
import { UsageError } from './args.js';
import { configOption, EXIT, jsonOption, type Command, type CommandContext } from './command.js';
import { openDeskOf, type OpenDesk } from './open-desk.js';
import { checkSelectors, MOST, select, withTheirCalls, type Selectors } from './outbox-selection.js';
import { asJson, describe, idOf, isRiskyHangup } from './outbox-words.js';

const STATES: readonly DeliveryState[] = ['waiting', 'sending', 'delivered', 'dead', 'unknown'];
const DEFAULT_LIMIT = 100;

export const command: Command = {
  summary: 'List posts that Zammad has not taken; send them again, or drop them.',
  usage: 'outbox list|resend|drop [options] [ID…]',
  args: { min: 1, max: 1001 },
  options: {
    config: configOption,
    json: jsonOption,
    state: { type: 'string', value: 'STATES', doc: 'list: these states, with commas. Default: dead,unknown.' },
    limit: { type: 'string', value: 'N', doc: `list: so many at most, the newest first. Default: ${DEFAULT_LIMIT}.` },
    'all-dead': { type: 'boolean', doc: 'resend, drop: every dead post.' },
    'all-unknown': { type: 'boolean', doc: 'resend, drop: every post of unknown outcome.' },
    call: { type: 'string', value: 'CALLID', doc: 'resend, drop: the dead and unknown posts of one call.' },
    yes: { type: 'boolean', short: 'y', doc: 'resend: also hangups of missed calls whose outcome is unknown.' },
  },
  details: `A post is one newCall, answer or hangup for Zammad. Its state is

  waiting   not sent yet, or surely not taken: the bridge sends it
  sending   its request is under way, or the bridge finds out how it ended
  dead      refused by Zammad, or too old: sent only when you say so
  unknown   sent, but no answer came, and nobody can say whether Zammad took it

"list" shows them with the reason and what to do. "resend" has the running bridge send them within seconds, or the next one that
starts; a newCall takes the dead posts of its call along. "drop" forgets them. IDs are those that "list" shows.
A second hangup of a missed call takes it off Zammad's list of missed calls: where the first may have arrived, and no API token lets
the bridge look before it sends, "resend" wants --yes. docs/delivery.md tells more. Status 1 if not everything that was named was
done.`,
  async run(context) {
    const [action = '', ...ids] = context.args;
    const { options } = context;
    if (!['list', 'resend', 'drop'].includes(action)) {
      throw new UsageError(`outbox: there is no ${JSON.stringify(action)}; there are list, resend and drop`);
    }
    if (action === 'list') {
      const terms = listTerms(ids, options);
      return withDesk(context, (open) => list(context, open, terms));
    }
    const selectors: Selectors = {
      ids,
      allDead: options['all-dead'] === true,
      allUnknown: options['all-unknown'] === true,
      call: typeof options['call'] === 'string' ? options['call'] : undefined,
    };
    checkSelectors(selectors);
    return withDesk(context, (open) => (action === 'resend' ? resend : drop)(context, open, selectors));
  },
};

async function withDesk(context: CommandContext, task: (open: OpenDesk) => Promise<number>): Promise<number> {
  const open = await openDeskOf(context);
  try {
    return await task(open);
  } finally {
    await open.close();
  }
}

interface ListTerms {
  readonly states: readonly DeliveryState[];
  readonly limit: number;
}

function listTerms(ids: readonly string[], options: CommandContext['options']): ListTerms {
  if (ids.length > 0) throw new UsageError('outbox list takes no ids; see --state and --limit');
  const named = typeof options['state'] === 'string' ? options['state'].split(',').map((text) => text.trim()) : [];
  const wrong = named.find((name) => !STATES.some((state) => state === name));
  if (wrong !== undefined) {
    throw new UsageError(`outbox: there is no state ${JSON.stringify(wrong)}; there are ${STATES.join(', ')}`);
  }
  const limit = typeof options['limit'] === 'string' ? Number(options['limit']) : DEFAULT_LIMIT;
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST) {
    throw new UsageError(`outbox: --limit must be a whole number from 1 to ${MOST}`);
  }
  return { states: named.length === 0 ? ['dead', 'unknown'] : STATES.filter((state) => named.includes(state)), limit };
}

async function list(
  { options, stdout, stderr }: CommandContext,
  { desk }: OpenDesk,
  terms: ListTerms,
): Promise<number> {
  // One more, to know whether there are more.
  const found = await desk.list(terms.states, terms.limit + 1);
  const items = found.slice(0, terms.limit);
  const now = Date.now();
  if (options['json'] === true) {
    const posts = items.map((item) => asJson(item, now));
    stdout.write(`${JSON.stringify({ posts, more: found.length > items.length }, null, 2)}\n`);
    return EXIT.ok;
  }
  for (const item of items) stdout.write(describe(item, now));
  if (items.length === 0) stderr.write(`no post is ${terms.states.join(' or ')}\n`);
  if (found.length > items.length) stderr.write(`there are more than ${terms.limit}: see --limit\n`);
  return EXIT.ok;
}

async function resend(context: CommandContext, { desk, config }: OpenDesk, selectors: Selectors): Promise<number> {
  const { options, stderr } = context;
  const { items, missing } = await select(desk, selectors);
  const wanted = await withTheirCalls(desk, items);
  const canLook = (item: OutboxItem): boolean =>
    config.zammad.find(({ name }) => name === item.zammad)?.apiToken !== undefined;
  const risky = options['yes'] === true ? [] : wanted.filter((item) => isRiskyHangup(item) && !canLook(item));
  for (const item of risky) {
    stderr.write(
      `${idOf(item.seq)} is not sent again: if Zammad has taken the hangup of call ${item.callId} before, a second one takes the missed ` +
        'call off the list of missed calls. Look at the call in Zammad; if it still rings there, say --yes\n',
    );
  }
  const done = await desk.resend(wanted.filter((item) => !risky.includes(item)).map(({ seq }) => seq));
  return report(context, 'sent again by the bridge that runs, or by the next one that starts', done, {
    missing,
    left: wanted.length - done.length,
  });
}

async function drop(context: CommandContext, { desk }: OpenDesk, selectors: Selectors): Promise<number> {
  const { items, missing } = await select(desk, selectors);
  const done = await desk.drop(items.map(({ seq }) => seq));
  return report(context, 'dropped', done, { missing, left: items.length - done.length });
}

function report(
  { options, stdout, stderr }: CommandContext,
  what: string,
  done: readonly OutboxItem[],
  { missing, left }: { readonly missing: readonly string[]; readonly left: number },
): number {
  for (const line of missing) stderr.write(`there is ${line}\n`);
  if (options['json'] === true) {
    const now = Date.now();
    stdout.write(`${JSON.stringify({ posts: done.map((item) => asJson(item, now)), missing, left }, null, 2)}\n`);
  } else {
    for (const { seq, post, callId } of done) stdout.write(`${idOf(seq)}  ${post.event} of call ${callId}: ${what}\n`);
    if (done.length === 0) stderr.write('nothing was done\n');
  }
  return missing.length > 0 || left > 0 ? EXIT.failed : EXIT.ok;
}
