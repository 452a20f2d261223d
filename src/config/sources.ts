import { readFileSync, statSync } from 'node:fs';

/** What the loader reads besides the YAML text; injected, so that tests need no files. */
export interface Sources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The file's text. Throws what `fs` throws. */
  readFile(path: string): string;
  /** Permission bits. Throws what `fs` throws. */
  fileMode(path: string): number;
}

/** The machine's files. Read once, before anything is connected, so blocking reads do no harm. */
export const systemSources = (env: Sources['env']): Sources => ({
  env,
  readFile: (path) => readFileSync(path, 'utf8'),
  fileMode: (path) => statSync(path).mode,
});

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'the user that runs the bridge may not read it',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is no directory',
};

/** Why a file could not be read, in words. */
export function fileTrouble(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown error';
  return REASONS[code] ?? code;
}
