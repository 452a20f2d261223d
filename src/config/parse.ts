import type { z } from 'zod';
import type { ExpandContext } from './expand.js';
import type { Path } from './problems.js';
import { isTreeMap, type Tree } from './yaml-source.js';
import { describeIssues } from './zod-problems.js';

type ParseContext = Pick<ExpandContext, 'expanded' | 'problem'>;

/**
 * Parses a part of the configuration. Two kindnesses, neither of which can change a meaning: a whole number where text is
 * wanted is taken as its digits (`extension: 100`), and `${AMI_PORT}` is taken as a number (or true, false) where one is wanted.
 * Returns undefined after it has told what is wrong.
 */
export function parsePart<Schema extends z.ZodType>(
  schema: Schema,
  tree: Tree,
  path: Path,
  context: ParseContext,
  known?: readonly string[],
): z.output<Schema> | undefined {
  const first = schema.safeParse(tree);
  if (first.success) return first.data;
  const mended = first.error.issues.reduce((at, issue) => {
    if (issue.code !== 'invalid_type') return at;
    const part = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
    const expanded = context.expanded.has(JSON.stringify([...path, ...part]));
    return replaceAt(at, part, (value) => convert(value, issue.expected, expanded));
  }, tree);
  const second = mended === tree ? first : schema.safeParse(mended);
  if (second.success) return second.data;
  for (const { path: part, text } of describeIssues(schema, mended, second.error.issues, known)) {
    context.problem([...path, ...part], text);
  }
  return undefined;
}

function convert(value: Tree, wanted: string, expanded: boolean): Tree {
  if (wanted === 'string' && typeof value === 'number' && Number.isInteger(value)) return String(value);
  if (!expanded || typeof value !== 'string') return value;
  if (wanted === 'boolean') return value === 'true' ? true : value === 'false' ? false : value;
  const numeric = wanted === 'number' || wanted === 'int';
  return numeric && /^-?\d{1,15}(\.\d{1,9})?$/.test(value) ? Number(value) : value;
}

function replaceAt(tree: Tree, path: Path, change: (value: Tree) => Tree): Tree {
  const [head, ...rest] = path;
  if (head === undefined) return change(tree);
  if (Array.isArray(tree) && typeof head === 'number') {
    return tree.map((item: Tree, index) => (index === head ? replaceAt(item, rest, change) : item));
  }
  if (!isTreeMap(tree) || !Object.hasOwn(tree, String(head))) return tree;
  const copy = Object.assign(Object.create(null), tree) as Record<string, Tree>;
  copy[String(head)] = replaceAt(tree[String(head)] as Tree, rest, change);
  return copy;
}
