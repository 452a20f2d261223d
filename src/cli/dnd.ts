import type { Config } from '../config/model.js';
import type { AgentState, KeptAgentState } from '../store/agent-states.js';
import { UsageError } from './args.js';
import { configOption, EXIT, jsonOption, type Command, type CommandContext } from './command.js';
import { openDeskOf } from './open-desk.js';

const WORDS: Readonly<Record<string, AgentState | 'show'>> = { on: 'do-not-disturb', off: 'available', show: 'show' };

export const command: Command = {
  summary: 'Say, or set, whether an agent wishes to be disturbed.',
  usage: 'dnd AGENT on|off|show [options]',
  args: { min: 1, max: 2 },
  options: { config: configOption, json: jsonOption },
  details: `AGENT is his extension. "on": he does not wish to be disturbed: his queues do not call him, and Zammad is not told that he is
called. "off": he does again. "show" (also without a word) says how it is, who has set it, and what each PBX said last.

The bridge that runs takes it up within two seconds, and tells the PBXs; without one, the next that starts does. The store must be a file or
a PostgreSQL, and the bridge must have been started once. docs/guide-do-not-disturb.md tells more.`,
  async run(context) {
    const [extension = '', wanted = 'show'] = context.args;
    const word = Object.hasOwn(WORDS, wanted) ? WORDS[wanted] : undefined;
    if (word === undefined)
      throw new UsageError(`dnd: there is no ${JSON.stringify(wanted)}; there are on, off and show`);
    const open = await openDeskOf(context);
    try {
      const before = statesOf(extension, await open.desk.agentStates.all());
      // The bridge goes on to leave out one who was taken out of the configuration: somebody must be able to end that.
      const isLeftOver = word !== 'do-not-disturb' && (before.own !== undefined || before.pbxs.length > 0);
      const name = nameOf(extension, open.config, isLeftOver);
      if (word === 'show') return show(context, extension, name, before);
      const since = Math.max(Date.now(), (before.own?.since ?? -Infinity) + 1);
      const set: KeptAgentState = { extension, state: word, since, by: 'cli' };
      if (before.own?.state !== word) await open.desk.agentStates.put([set]);
      return said(context, name, before.own?.state === word ? before.own : set);
    } finally {
      await open.close();
    }
  },
};

interface States {
  /** The agent's own. */
  readonly own: KeptAgentState | undefined;
  readonly pbxs: readonly KeptAgentState[];
}

function statesOf(extension: string, all: readonly KeptAgentState[]): States {
  const his = all.filter((kept) => kept.extension === extension);
  return { own: his.find(({ pbx }) => pbx === undefined), pbxs: his.filter(({ pbx }) => pbx !== undefined) };
}

function nameOf(extension: string, { agents }: Config, isLeftOver: boolean): string {
  const agent = agents.find((one) => one.extension === extension);
  if (agent !== undefined) return `${agent.name} (${extension})`;
  if (isLeftOver) return `${extension} (not configured)`;
  const known = agents.slice(0, 20).map((one) => one.extension);
  throw new UsageError(
    `dnd: no agent has the extension ${JSON.stringify(extension)}; configured are ${known.join(', ') || 'none'}${agents.length > known.length ? ', …' : ''}`,
  );
}

const asJson = ({ state, since, by }: KeptAgentState): object => ({ state, since: new Date(since).toISOString(), by });
const inWords = (state: AgentState): string =>
  state === 'available' ? 'may be disturbed' : 'does not wish to be disturbed';

function show({ options, stdout }: CommandContext, extension: string, name: string, { own, pbxs }: States): number {
  const state = own?.state ?? 'available';
  if (options['json'] === true) {
    const kept = own === undefined ? { state, since: null, by: null } : asJson(own);
    const said = pbxs.map((one) => ({ name: one.pbx, state: one.state, since: new Date(one.since).toISOString() }));
    stdout.write(`${JSON.stringify({ agent: extension, ...kept, pbx: said }, null, 2)}\n`);
  } else {
    const how = own === undefined ? '' : `, since ${new Date(own.since).toISOString()}, set by ${own.by}`;
    stdout.write(`${name} ${inWords(state)}${how}\n`);
    for (const one of pbxs) stdout.write(`  PBX ${one.pbx ?? ''}: ${inWords(one.state)}\n`);
  }
  return EXIT.ok;
}

function said({ options, stdout }: CommandContext, name: string, set: KeptAgentState): number {
  if (options['json'] === true) stdout.write(`${JSON.stringify({ agent: set.extension, ...asJson(set) }, null, 2)}\n`);
  else stdout.write(`${name} ${inWords(set.state)} from now on\n`);
  return EXIT.ok;
}
