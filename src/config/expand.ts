import { resolve } from 'node:path';
import type { Path } from './problems.js';
import { fileTrouble, type Sources } from './sources.js';
import { isTreeMap, type Tree, type TreeMap } from './yaml-source.js';

/** What stands for a secret that is not needed. */
const NOT_READ = '';
const WORLD_READABLE = 0o004;

export interface ExpandContext {
  readonly sources: Sources;
  /** Relative paths of secret files start here: the directory of the configuration file. */
  readonly directory: string;
  readonly needSecrets: boolean;
  /** Tells what is wrong at a place; only the first thing said of a place counts. */
  readonly problem: (path: Path, text: string) => void;
  /** Says no more of this place. */
  readonly hush: (path: Path) => void;
  readonly warn: (path: Path, text: string) => void;
  /** Secrets that stand in the file itself. */
  readonly inlineSecrets: Path[];
  /** Secrets that were not read because they are not needed, as JSON of their paths. */
  readonly notRead: Set<string>;
  /** Texts that came out of a variable, as JSON of their paths: they may be meant as numbers or yes and no. */
  readonly expanded: Set<string>;
}

type Expanded = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly why: string };

/** Replaces `${NAME}` by the variable's value and `$$` by `$`. The values themselves are not looked through again. */
function expandText(text: string, env: Sources['env'], isSecret = false): Expanded {
  let why: string | undefined;
  const result = text.replace(
    /\$(?:\$|\{([^}]*)(\})?)/g,
    (whole, name: string | undefined, end: string | undefined) => {
      if (whole === '$$') return '$';
      if (name === undefined || end === undefined || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
        why ??=
          'has a "${" that is not followed by the name of an environment variable and "}"; write $${ for these characters';
        return '';
      }
      const value = env[name];
      if (value === undefined) {
        // In a password, "${…" may be a part of it; only what looks like a variable is repeated.
        const shown = isSecret && !/^[A-Z_][A-Z0-9_]*$/.test(name) ? 'it names' : name;
        why ??= `the environment variable ${shown} is not set; set it, or write $$ for a plain dollar sign`;
        return '';
      }
      return value;
    },
  );
  return why === undefined ? { ok: true, text: result } : { ok: false, why };
}

/** Expands every text in a tree that holds no secrets; keys without a value are left out. */
export function expandTree(tree: Tree, path: Path, context: ExpandContext): Tree {
  if (typeof tree === 'string') {
    if (!tree.includes('$')) return tree;
    const expanded = expandText(tree, context.sources.env);
    if (!expanded.ok) {
      context.problem(path, expanded.why);
      return null;
    }
    context.expanded.add(JSON.stringify(path));
    return expanded.text;
  }
  if (Array.isArray(tree)) return tree.map((item: Tree, index) => expandTree(item, [...path, index], context));
  if (!isTreeMap(tree)) return tree;
  const result = Object.create(null) as Record<string, Tree>;
  for (const [key, value] of Object.entries(tree)) {
    const expanded = expandTree(value, [...path, key], context);
    // "filter:" with nothing behind it is not there.
    if (expanded !== null) result[key] = expanded;
  }
  return result;
}

/**
 * Expands a group of settings of which some are secrets: `secret: text`, `secret: ${VARIABLE}` and `secretFile: path` all
 * come out as `secret: text`. What could not be read is told, and left out.
 */
export function expandGroup(
  group: TreeMap,
  path: Path,
  secrets: ReadonlyMap<string, { readonly required: boolean }>,
  context: ExpandContext,
): TreeMap {
  const fileKeys = new Set([...secrets.keys()].map((key) => `${key}File`));
  const plain = Object.entries(group).filter(([key]) => !secrets.has(key) && !fileKeys.has(key));
  const result = { ...(expandTree(Object.fromEntries(plain), path, context) as TreeMap) };
  for (const [key, { required }] of secrets) {
    const at = [...path, key];
    const inline = group[key] ?? undefined;
    const file = group[`${key}File`] ?? undefined;
    if (inline !== undefined && file !== undefined) {
      context.problem([...path, `${key}File`], `stands beside ${key}; keep one of the two`);
      context.hush(at);
      continue;
    }
    const value =
      file === undefined
        ? readInline(inline, at, required, context)
        : readSecretFile(file, [...path, `${key}File`], context);
    if (value === FAILED) context.hush(at);
    else if (value !== undefined) result[key] = value;
  }
  return result;
}

const FAILED = Symbol('failed');
type SecretValue = Tree | undefined | typeof FAILED;

function notRead(path: Path, context: ExpandContext): string {
  context.notRead.add(JSON.stringify(path));
  return NOT_READ;
}

function readInline(value: Tree | undefined, path: Path, required: boolean, context: ExpandContext): SecretValue {
  if (value === undefined) return required && !context.needSecrets ? notRead(path, context) : undefined;
  if (typeof value !== 'string') {
    if (typeof value === 'number') context.inlineSecrets.push(path);
    return value;
  }
  if (!value.includes('$')) {
    if (value !== '') context.inlineSecrets.push(path);
    return value;
  }
  if (!context.needSecrets) return notRead(path, context);
  if (/^\$[A-Za-z_]\w*$/.test(value)) {
    context.warn(path, 'begins with "$" and is taken as it stands; if a variable is meant, write ${NAME}');
  }
  const expanded = expandText(value, context.sources.env, true);
  if (!expanded.ok) {
    context.problem(path, expanded.why);
    return FAILED;
  }
  // `$$` alone is no variable: the secret stands in the file.
  if (!value.replaceAll('$$', '').includes('${')) context.inlineSecrets.push(path);
  return expanded.text;
}

function readSecretFile(value: Tree, path: Path, context: ExpandContext): SecretValue {
  if (!context.needSecrets) {
    // The key without its "File": that is where the placeholder goes.
    const key = String(path.at(-1)).slice(0, -'File'.length);
    return notRead([...path.slice(0, -1), key], context);
  }
  if (typeof value !== 'string' || value === '') {
    context.problem(path, 'must be the path of a file that holds the secret');
    return FAILED;
  }
  // As careful as with the secret itself: some put it here.
  const name = expandText(value, context.sources.env, true);
  if (!name.ok) {
    context.problem(path, name.why);
    return FAILED;
  }
  const file = resolve(context.directory, name.text);
  let text: string;
  try {
    // What editors add is no part of the secret: a mark at the begin, line ends at the end.
    text = context.sources.readFile(file).replace(/^\uFEFF|[\r\n]+$/g, '');
    if ((context.sources.fileMode(file) & WORLD_READABLE) !== 0) {
      context.warn(path, 'everybody on this machine may read the file; chmod 600 it');
    }
  } catch (error) {
    // The path is not repeated: some put the secret itself here.
    context.problem(path, `the file cannot be read: ${fileTrouble(error)}`);
    return FAILED;
  }
  if (text === '') {
    context.problem(path, 'the file is empty; put the secret into it');
    return FAILED;
  }
  return text;
}

/** Whether the secret at this path is only a placeholder, because none is needed. */
export const isPlaceholder = (path: Path, context: ExpandContext): boolean => context.notRead.has(JSON.stringify(path));
