/** Reads as much of a Dockerfile and a .dockerignore as this project's use: enough to check them without a container engine. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface Instruction {
  readonly keyword: string;
  readonly text: string;
}
export interface Stage {
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

export function parseDockerfile(text: string): Stage[] {
  const lines = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: { name: string | undefined; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, keyword = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (keyword === 'FROM') stages.push({ name: / AS (\S+)$/i.exec(rest)?.[1], instructions: [] });
    stages.at(-1)?.instructions.push({ keyword, text: rest });
  }
  return stages;
}

export interface Copy {
  readonly from: string | undefined;
  readonly sources: readonly string[];
  readonly target: string;
}
export function parseCopy(text: string): Copy {
  const words = text.split(/\s+/);
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length);
  const paths = words.filter((word) => !word.startsWith('--'));
  return { from, sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
}

/** Whether a path is left out of what the engine is given: the last rule that matches it, or a folder above it, wins. */
export function isIgnored(path: string, ignoreFile: string): boolean {
  const rules = ignoreFile.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const parts = path.split('/');
  const prefixes = parts.map((_part, n) => parts.slice(0, n + 1).join('/'));
  let ignored = false;
  for (const rule of rules) {
    const allow = rule.startsWith('!');
    const pattern = new RegExp(`^${toRegExp(allow ? rule.slice(1) : rule)}$`);
    if (prefixes.some((prefix) => pattern.test(prefix))) ignored = !allow;
  }
  return ignored;
}
const toRegExp = (glob: string): string =>
  glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\//g, '\u0000')
    .replace(/\*/g, '[^/]*')
    .replaceAll('\u0000', '(?:.*/)?');

/** Every file at or under a path, relative to `root`. */
export function filesUnder(root: string, path: string): string[] {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path)).flatMap((name) => filesUnder(root, `${path.replace(/\/$/, '')}/${name}`));
}
