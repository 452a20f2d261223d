import { PermanentError } from '../errors.js';

/** A place in the configuration: `['pbx', 0, 'host']`. */
export type Path = readonly (string | number)[];

/** One thing wrong with the configuration. `text` says what and what to do, and never holds a value of a secret. */
export interface Problem {
  readonly path: Path;
  readonly text: string;
  /** Line in the file, 1 = first. */
  readonly line?: number | undefined;
}

/** `['pbx', 0, 'host']` → `pbx[0].host`. Text that is no ordinary key is not repeated: it might be a secret gone astray. */
export function pathText(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += `${text === '' ? '' : '.'}${isPrintableKey(part) ? part : '(a key)'}`;
  }
  return text;
}

const isPrintableKey = (key: string): boolean => /^[A-Za-z][A-Za-z0-9_-]{0,40}$/.test(key);

function problemLine(problem: Problem): string {
  const where = pathText(problem.path);
  const line = problem.line === undefined ? '' : ` (line ${problem.line})`;
  return `${where === '' ? '' : `${where}: `}${problem.text}${line}`;
}

/** The configuration cannot be used. `problems` has one line for each thing to mend. */
export class ConfigError extends PermanentError {
  /** E.g. `zammad[0].url: is not a URL; paste … (line 3)`. */
  readonly problems: readonly string[];
  constructor(
    readonly file: string,
    problems: readonly Problem[],
  ) {
    const lines = problems.map(problemLine);
    super('ZPB_CONFIG', `${file}: ${lines.length === 1 ? '' : `${lines.length} problems:\n  `}${lines.join('\n  ')}`);
    this.problems = lines;
  }
}
