import type { PbxName, ZammadName } from '../call/vocabulary.js';
import type { ZammadConfig } from '../config/model.js';
import type { Desk } from '../store/store.js';
import type { ZammadClient } from '../zammad/client.js';
import type { LoggedCall } from '../zammad/outcome.js';
import type { Finding } from '../zammad/reconcile.js';
import { UsageError } from './args.js';
import { configOption, EXIT, jsonOption, type Command, type CommandContext } from './command.js';
import { openDeskOf } from './open-desk.js';

/** Between the two looks, s: as the running bridge waits. A request that was given up may be carried out as late. */
const UNTIL_SECOND_LOOK = 30;

interface Found {
  readonly zammad: ZammadName;
  readonly pbx: PbxName;
  readonly finding: Finding;
}

export const command: Command = {
  summary: 'Find calls that ring or talk for ever in Zammad, and have them closed.',
  usage: 'reconcile [options]',
  options: {
    config: configOption,
    json: jsonOption,
    wait: {
      type: 'string',
      value: 'SECONDS',
      doc: `Between the two looks. Default: ${UNTIL_SECOND_LOOK}; never less than twice delivery.timeout.`,
    },
    'dry-run': { type: 'boolean', doc: 'Look once, and say what would be done.' },
  },
  details: `Reads the caller log of every Zammad that has an apiToken, finds calls of the configured PBXs that are shown as ringing or
connected although nothing is open of them in the bridge's store, looks a second time after a while, and has the bridge hang up what is still so: at once if it runs, else when it starts next. Posts of unknown outcome that turn out to have arrived are not
listed any more. A running bridge does the same by itself every 10 minutes.
Only the rows that Zammad shows to the token's user are seen: the newest ones (60, unless Zammad's setting for the caller log says
otherwise), of the queues that user is to see. Status 1 if a caller log could not be read.`,
  async run(context) {
    const wait = context.options['wait'] === undefined ? UNTIL_SECOND_LOOK : Number(context.options['wait']);
    if (!Number.isFinite(wait) || wait < 0 || wait > 3_600) {
      throw new UsageError('reconcile: --wait must be a number of seconds, 3600 at most');
    }
    const open = await openDeskOf(context);
    const { config, desk } = open;
    const clients: { readonly name: ZammadName; readonly client: ZammadClient }[] = [];
    try {
      for (const zammad of config.zammad) {
        if (zammad.apiToken !== undefined) clients.push({ name: zammad.name, client: await clientOf(zammad) });
      }
      if (clients.length === 0) {
        context.stderr.write('no Zammad has an apiToken, so no caller log can be read (zammad[].apiToken)\n');
        return EXIT.failed;
      }
      const { timeout } = config.delivery;
      const settings = { pbxs: config.pbx.map(({ name }) => name), timeout, wait: Math.max(wait * 1000, 2 * timeout) };
      return await reconcile(context, desk, clients, settings);
    } finally {
      for (const { client } of clients) client.close();
      await open.close();
    }
  },
};

async function clientOf(zammad: ZammadConfig): Promise<ZammadClient> {
  const [{ createZammadClient }, { readAuthorities }, { systemClock }, { VERSION }] = await Promise.all([
    import('../zammad/client.js'),
    import('../zammad/authorities.js'),
    import('../clock.js'),
    import('../version.js'),
  ]);
  const ca = zammad.caFile === undefined ? undefined : await readAuthorities(zammad.caFile);
  return createZammadClient({ ...zammad, ca, version: VERSION, clock: systemClock });
}

async function reconcile(
  context: CommandContext,
  desk: Desk,
  clients: readonly { readonly name: ZammadName; readonly client: ZammadClient }[],
  { pbxs, timeout, wait }: { readonly pbxs: readonly PbxName[]; readonly timeout: number; readonly wait: number },
): Promise<number> {
  const { stderr, signal, options } = context;
  const [{ confirmed }, { sleep, systemClock }] = await Promise.all([
    import('../zammad/reconcile.js'),
    import('../clock.js'),
  ]);
  const unreadable = new Set<ZammadName>();
  const look = async (): Promise<readonly Found[]> => {
    const found: Found[] = [];
    for (const { name, client } of clients) {
      const result = await client.callLog({ timeout, signal, freshSocket: true });
      if (result.kind !== 'calls') {
        unreadable.add(name);
        stderr.write(`${result.message}\n`);
        continue;
      }
      for (const pbx of pbxs) found.push(...(await findingsOf(desk, name, pbx, pbxs, result.calls)));
    }
    return found;
  };
  let found = await look();
  const dry = options['dry-run'] === true;
  if (!dry && found.some(({ finding }) => finding.kind === 'close')) {
    stderr.write(`${found.length} found; looking a second time in ${wait / 1000} s\n`);
    await sleep(systemClock, wait, signal);
    if (signal.aborted) return EXIT.failed;
    const first = found;
    const second = await look();
    found = second.filter(
      ({ zammad, pbx, finding }) =>
        confirmed(
          first.filter((one) => one.zammad === zammad && one.pbx === pbx).map((one) => one.finding),
          [finding],
        ).length > 0,
    );
  }
  if (!dry) for (const one of found) await mend(desk, one);
  print(context, found, dry);
  return unreadable.size > 0 ? EXIT.failed : EXIT.ok;
}

async function findingsOf(
  desk: Desk,
  zammad: ZammadName,
  pbx: PbxName,
  pbxs: readonly PbxName[],
  calls: readonly LoggedCall[],
): Promise<readonly Found[]> {
  const [{ findings, rowsOf }, { asCallId }] = await Promise.all([
    import('../zammad/reconcile.js'),
    import('../call/vocabulary.js'),
  ]);
  const rows = rowsOf(pbx, pbxs, calls);
  if (rows.length === 0) return [];
  const knowledge = await desk.knowledge(rows.map(({ callId }) => asCallId(callId)));
  // The journal tells what is in progress; the bridge writes it before it tells Zammad of a call.
  const found = findings({ pbx, zammad, rows, knowledge, isOpen: () => false });
  return found.map((finding) => ({ zammad, pbx, finding }));
}

async function mend(desk: Desk, { zammad, pbx, finding }: Found): Promise<void> {
  if (finding.kind === 'settled') {
    await desk.drop(finding.seqs);
    return;
  }
  const { closingItem } = await import('../zammad/reconciler.js');
  await desk.handIn([closingItem(zammad, pbx, finding, Date.now())]);
  if (finding.replaces.length > 0) await desk.drop(finding.replaces);
}

function print({ options, stdout, stderr }: CommandContext, found: readonly Found[], dry: boolean): void {
  if (options['json'] === true) {
    const rows = found.map(({ zammad, pbx, finding }) => ({
      zammad,
      pbx,
      callId: finding.callId,
      what: finding.kind,
      ...(finding.kind === 'close' ? { state: finding.state, cause: finding.post.cause } : {}),
      why: finding.why,
    }));
    stdout.write(`${JSON.stringify({ dryRun: dry, found: rows }, null, 2)}\n`);
    return;
  }
  for (const { zammad, finding } of found) {
    const what =
      finding.kind === 'settled'
        ? dry
          ? 'would not be listed any more'
          : 'not listed any more'
        : `${dry ? 'would be hung up' : 'handed to the bridge to be hung up'} with ${finding.post.cause}; it ${
            finding.state === 'answer' ? 'talks' : 'rings'
          }`;
    stdout.write(`${zammad}  ${finding.callId}  ${what}: ${finding.why}\n`);
  }
  if (found.length === 0) stderr.write('nothing rings or talks for ever\n');
}
