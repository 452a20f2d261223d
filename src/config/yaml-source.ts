import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Document,
  type ScalarTag,
  type Tags,
} from 'yaml';
import { pathText, type Path, type Problem } from './problems.js';

/** What YAML can say here: no dates, no binary, no custom tags. Objects have no prototype. */
export type Tree = string | number | boolean | null | readonly Tree[] | TreeMap;
export interface TreeMap {
  readonly [key: string]: Tree;
}
export const isTreeMap = (tree: Tree | undefined): tree is TreeMap =>
  typeof tree === 'object' && tree !== null && !Array.isArray(tree);

export interface YamlSource {
  readonly root: Tree;
  /** The line on which the value at this path stands. */
  lineOf(path: Path): number | undefined;
}

const MAX_DEPTH = 32;
const MAX_NODES = 100_000;
const MAX_SYNTAX_PROBLEMS = 3;

/**
 * Only a whole number that means the same as text is read as a number: `+4930555200` keeps its plus and `0123` its zero
 * (they are numbers to call, not to count with), and 20 digits are not rounded.
 */
const wholeNumber: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  identify: (value) => typeof value === 'number' && Number.isInteger(value),
  test: /^(?:0|-?[1-9][0-9]{0,14})$/,
  resolve: (text) => Number(text),
};
const tags = (core: Tags): Tags => [
  ...core.filter((tag) => typeof tag === 'object' && !/:(int|float)$/.test(tag.tag)),
  wholeNumber,
  {
    tag: 'tag:yaml.org,2002:float',
    default: true,
    test: /^-?(?:0|[1-9][0-9]*)\.[0-9]+$/,
    resolve: (text: string) => Number(text),
  } satisfies ScalarTag,
];

/** The parser's own texts repeat pieces of the file, which may be secrets; these do not. */
const SYNTAX: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias (*name) cannot have an anchor or a tag',
  BAD_ALIAS: 'a value that begins with * is an alias, and there is none of that name; put the value in quotes',
  BAD_DQ_ESCAPE: 'a backslash in "…" begins an escape that YAML does not know; use \'…\' or write \\\\',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_SCALAR_START: 'a value cannot begin with this character; put the value in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'there is a second "key: value" on one line; put the value in quotes or begin a new line',
  DUPLICATE_KEY: 'this key stands twice in the same group; remove one',
  MISSING_CHAR: 'a character is missing: a closing quote, a bracket, a comma, or the blank behind a colon',
  MULTILINE_IMPLICIT_KEY: 'this line is neither "key: value" nor part of a list; is a colon missing?',
  MULTIPLE_DOCS: 'there is a second document (---); only one can be read',
  TAB_AS_INDENT: 'a tab stands where YAML wants blanks; indent with blanks',
  TAG_RESOLVE_FAILED: 'a value that begins with ! is a tag, and none is known here; put the value in quotes',
};
const NOT_YAML = 'this is not valid YAML; look at quotes, brackets and indentation here';

/** Reads YAML text. Throws nothing: what is wrong is in `problems`, with line and column. */
export function readYaml(text: string): { source: YamlSource; problems: readonly Problem[] } {
  const lineCounter = new LineCounter();
  const problems: Problem[] = [];
  const lines = new Map<string, number>();
  const at = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `line ${line}, column ${col}: `;
  };
  const source = (root: Tree): YamlSource => ({
    root,
    lineOf: (path) => {
      for (let length = path.length; length > 0; length -= 1) {
        const line = lines.get(pathText(path.slice(0, length)));
        if (line !== undefined) return line;
      }
      return undefined;
    },
  });

  let document: Document;
  try {
    document = parseDocument(text, { lineCounter, prettyErrors: false, customTags: tags, logLevel: 'error' });
  } catch {
    return { source: source(null), problems: [{ path: [], text: NOT_YAML }] };
  }
  for (const { code, pos } of [...document.errors, ...document.warnings]) {
    const text = at(pos[0]) + (SYNTAX[code] ?? NOT_YAML);
    if (!problems.some((problem) => problem.text === text)) problems.push({ path: [], text });
  }
  // What follows the first ones is mostly their consequence.
  if (problems.length > 0) return { source: source(null), problems: problems.slice(0, MAX_SYNTAX_PROBLEMS) };

  let nodes = 0;
  const convert = (node: unknown, path: Path, depth: number): Tree => {
    nodes += 1;
    if (depth > MAX_DEPTH || nodes > MAX_NODES) {
      if (problems.length === 0) problems.push({ path: [], text: 'it is nested too deeply, or too large' });
      return null;
    }
    const range = (node as { range?: readonly [number, number, number] | null } | null)?.range;
    const key = pathText(path);
    if (range && !lines.has(key)) lines.set(key, lineCounter.linePos(range[0]).line);
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (target === undefined) {
        problems.push({ path: [], text: at(node.range?.[0] ?? 0) + (SYNTAX['BAD_ALIAS'] ?? NOT_YAML) });
      }
      return convert(target, path, depth + 1);
    }
    if (isSeq(node)) return node.items.map((item, index) => convert(item, [...path, index], depth + 1));
    if (isMap(node)) {
      const map = Object.create(null) as Record<string, Tree>;
      for (const pair of node.items) {
        const name = isScalar(pair.key) ? String(pair.key.value) : undefined;
        if (name === undefined) problems.push({ path, text: 'has a key that is not plain text', line: lines.get(key) });
        else map[name] = convert(pair.value, [...path, name], depth + 1);
      }
      return map;
    }
    const value = isScalar(node) ? node.value : null;
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
  };
  const root = convert(document.contents, [], 0);
  return { source: source(root), problems };
}
