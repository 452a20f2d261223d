import { randomInt } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { FAULT_GROUPS, FAULT_KINDS, type FaultKind } from './fault-kinds.js';

export interface Options {
  readonly runs: number;
  readonly seed: number;
  readonly calls: number;
  readonly together: number;
  readonly mean: number;
  /** Undefined: every other run with one. */
  readonly token: boolean | undefined;
  readonly kinds: readonly FaultKind[];
  readonly program: string;
  readonly store: boolean;
  readonly json: string | undefined;
  readonly keep: string;
  readonly only: string | undefined;
  readonly firstRun: number;
  readonly ha: boolean;
  readonly kills: number;
  readonly stops: number;
  readonly restarts: number;
}

export const HELP = `npm run faults -- [OPTIONS]
  --runs N         so many runs (default 10), each with a fresh PBX, Zammad and bridge
  --seed N         the chance of an earlier time again (moments of a machine never come again quite)
  --first-run N    begin with the chance of run N
  --calls N        calls of a run (default 60)       --together N   plays at one time (default 10)
  --mean MS        between two faults, on average (default 2000)
  --token, --no-token   the bridge has an API token of Zammad, or not (default: by turns)
  --faults LIST    only these: ${Object.keys(FAULT_GROUPS).join(', ')}, or names of single faults; "none"
  --case TEXT      only recordings with that in their name
  --smoke          a short run for CI, under a minute
  --ha             two bridges on one PostgreSQL: --kills N --stops N --restarts N (default 50 each)
  --json FILE      the result, for programs           --keep DIR     where logs of what went wrong are kept
  --program FILE   another dist/src/main.js           --no-store     that program has no store
`;

/** @throws Error with what is wrong. */
export function readOptions(argv: readonly string[], root: string): Options | 'help' {
  const { values } = parseArgs({
    args: [...argv],
    allowNegative: true,
    options: {
      ...{
        runs: { type: 'string' },
        seed: { type: 'string' },
        calls: { type: 'string' },
        together: { type: 'string' },
      },
      ...{
        mean: { type: 'string' },
        token: { type: 'boolean' },
        faults: { type: 'string' },
        program: { type: 'string' },
      },
      ...{ store: { type: 'boolean' }, json: { type: 'string' }, keep: { type: 'string' }, case: { type: 'string' } },
      ...{ smoke: { type: 'boolean' }, ha: { type: 'boolean' }, kills: { type: 'string' }, stops: { type: 'string' } },
      ...{ restarts: { type: 'string' }, help: { type: 'boolean' }, 'first-run': { type: 'string' } },
    },
  });
  if (values.help === true) return 'help';
  const number = (name: string, text: string | undefined, otherwise: number): number => {
    if (text === undefined) return otherwise;
    if (!/^\d+$/.test(text)) throw new Error(`--${name} is no number: ${text}`);
    return Number(text);
  };
  const smoke = values.smoke === true;
  return {
    runs: number('runs', values.runs, smoke ? 1 : 10),
    firstRun: number('first-run', values['first-run'], 1),
    seed: number('seed', values.seed, smoke ? 1 : randomInt(2 ** 31)),
    calls: number('calls', values.calls, smoke ? 20 : 60),
    together: number('together', values.together, 10),
    mean: number('mean', values.mean, 2_000),
    token: values.token ?? (smoke ? true : undefined),
    kinds: kindsOf(values.faults),
    program: values.program ?? join(root, 'dist/src/main.js'),
    store: values.store ?? true,
    json: values.json,
    keep: values.keep ?? join(tmpdir(), 'zpb-faults'),
    only: values.case,
    ha: values.ha ?? false,
    kills: number('kills', values.kills, 50),
    stops: number('stops', values.stops, 50),
    restarts: number('restarts', values.restarts, 50),
  };
}

function kindsOf(list: string | undefined): readonly FaultKind[] {
  if (list === undefined) return FAULT_KINDS;
  if (list === 'none') return [];
  return list.split(',').flatMap((name) => {
    const group = FAULT_GROUPS[name] ?? FAULT_KINDS.filter((kind) => kind === name);
    if (group.length === 0) throw new Error(`there is no fault ${name}`);
    return group;
  });
}
