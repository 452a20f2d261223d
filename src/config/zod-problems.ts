import type { z } from 'zod';
import { innerSchema, isSecretField, shapeOf } from './secrets.js';
import type { Path } from './problems.js';
import { suggestion } from './suggest.js';
import { isTreeMap, type Tree } from './yaml-source.js';

type Schema = z.core.$ZodType;
type Issue = z.core.$ZodIssue;
export interface Found {
  readonly path: Path;
  readonly text: string;
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'text; put it in quotes',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list: [a, b]',
  object: 'a group of settings',
  record: 'a group of settings',
};
const SIZES: Readonly<Record<string, readonly [one: string, more: string]>> = {
  string: ['character', 'characters'],
  array: ['entry', 'entries'],
  set: ['entry', 'entries'],
};

/** `have at least 1 entry`, or of a number `be at least 1`. */
function bound(which: 'at least' | 'at most', limit: number | bigint, origin: string): string {
  const [one, more] = SIZES[origin] ?? [];
  if (one === undefined || more === undefined) return `be ${which} ${String(limit)}`;
  return `have ${which} ${String(limit)} ${limit === 1 ? one : more}`;
}

function schemaAt(schema: Schema, path: Path): Schema | undefined {
  let at: Schema | undefined = schema;
  for (const part of path) {
    if (at === undefined) return undefined;
    const inner = innerSchema(at);
    at = typeof part === 'number' ? (inner._zod.def as { element?: Schema }).element : shapeOf(inner)[part];
  }
  return at;
}

const valueAt = (tree: Tree, path: Path): Tree | undefined =>
  path.reduce<Tree | undefined>((at, part) => {
    if (Array.isArray(at) && typeof part === 'number') return at[part] as Tree | undefined;
    return isTreeMap(at) ? at[String(part)] : undefined;
  }, tree);

const pathOf = (issue: Issue): Path => issue.path.map((part) => (typeof part === 'number' ? part : String(part)));

/** Zod's own texts begin like this; the others were written for a person, in a schema of ours or of an adapter. */
const isOwnText = (message: string): boolean => !/^(Invalid|Too|Unrecognized|Expected|Required)/.test(message);

/** What zod found, in words that name the setting and never its value. `known` are keys that the schema itself does not have. */
export function describeIssues(
  schema: Schema,
  tree: Tree,
  issues: readonly Issue[],
  known: readonly string[] = [],
): Found[] {
  return issues.flatMap((issue) => describe(schema, tree, issue, known));
}

function describe(schema: Schema, tree: Tree, issue: Issue, known: readonly string[]): Found[] {
  const path = pathOf(issue);
  const field = schemaAt(schema, path);
  const secret = field !== undefined && isSecretField(field);
  const value = valueAt(tree, path);
  const say = (text: string): Found[] => [{ path, text }];

  if (issue.code === 'unrecognized_keys') {
    const keys = [
      ...(field === undefined ? [] : Object.entries(shapeOf(field))).flatMap(([key, inner]) =>
        isSecretField(inner) ? [key, `${key}File`] : [key],
      ),
      ...(path.length === 0 ? known : []),
    ];
    return issue.keys.map((key) => ({
      path: [...path, key],
      text: `is not a setting${suggestion(key, keys) || `; known here: ${keys.join(', ')}`}`,
    }));
  }
  if (value === undefined || value === null) {
    const key = String(path.at(-1));
    if (secret)
      return say(`is missing; write it here, as \${VARIABLE}, or the path of a file that holds it as ${key}File`);
    return say(`is missing${aim(field)}`);
  }
  if (secret) return say(value === '' ? 'is empty; put the secret here' : 'is not of the form that is asked for');
  switch (issue.code) {
    case 'invalid_type':
      return say(`must be ${TYPES[issue.expected] ?? issue.expected}${keysOf(field)}`);
    case 'invalid_value':
      return say(`must be one of ${issue.values.map(String).join(', ')}`);
    case 'too_small':
      if (value === '') return say(`is empty${aim(field)}`);
      return say(`must ${bound('at least', issue.minimum, issue.origin)}`);
    case 'too_big':
      return say(`must ${bound('at most', issue.maximum, issue.origin)}`);
    default:
      return say(isOwnText(issue.message) ? issue.message : `has the wrong form${aim(field)}`);
  }
}

/** `: host, port` for a group of settings. */
const keysOf = (field: Schema | undefined): string => {
  const keys = field === undefined ? [] : Object.keys(shapeOf(field));
  return keys.length === 0 ? '' : `: ${keys.join(', ')}`;
};

const aim = (field: Schema | undefined): string => {
  const description = field === undefined ? undefined : describedAs(field);
  return description === undefined ? '' : `: ${description}`;
};

/** The description given to a schema, under optional() and the like. */
export function describedAs(schema: Schema): string | undefined {
  let at: Schema | undefined = schema;
  while (at !== undefined) {
    const { description } = at as { description?: string };
    if (description !== undefined) return description;
    const { def } = at._zod as { def: { innerType?: Schema; in?: Schema } };
    at = def.innerType ?? def.in;
  }
  return undefined;
}
