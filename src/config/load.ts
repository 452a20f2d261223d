import { dirname, resolve } from 'node:path';
import { asZammadName } from '../call/vocabulary.js';
import type { AdapterRegistry } from '../pbx/registry.js';
import { Secret } from '../secret.js';
import { crossCheck } from './cross-check.js';
import { checkCtiUrl } from './cti-url.js';
import { agentSchema, didSchema, zammadSchema } from './entries.js';
import { expandGroup, expandTree, isPlaceholder } from './expand.js';
import type { Entries, LoadContext } from './load-context.js';
import { numberFilters } from './filters.js';
import { readHttp } from './http.js';
import type { AgentConfig, Config, ZammadConfig } from './model.js';
import { parsePart } from './parse.js';
import { readPbxEntries } from './pbx-entries.js';
import { ConfigError, pathText, type Path, type Problem } from './problems.js';
import { readScalars, secretsOf, SECTIONS } from './scalars.js';
import { secretKeysOf } from './secrets.js';
import { fileTrouble, type Sources } from './sources.js';
import { readStore } from './store.js';
import { suggestion } from './suggest.js';
import { toCallSettings, toSettings } from './to-settings.js';
import { isTreeMap, readYaml, type Tree, type TreeMap } from './yaml-source.js';
import type { Did } from '../call/settings.js';

export interface LoadOptions {
  readonly sources: Sources;
  /** `false` (replay): no secret file and no variable for a secret is read; secrets come out empty. */
  readonly needSecrets: boolean;
  readonly adapters: AdapterRegistry;
}

export interface Loaded {
  readonly config: Config;
  /** One line each, without secrets. */
  readonly warnings: readonly string[];
}

const LISTS = ['zammad', 'pbx', 'agents', 'dids'] as const;
const MAX_FILE = 1024 * 1024;
const WORLD_READABLE = 0o004;

/**
 * Reads, checks and completes the configuration file. Throws ConfigError (ZPB_CONFIG), whose `problems` name all that is
 * wrong at once; no text of it holds a secret.
 */
export async function loadConfig(file: string, options: LoadOptions): Promise<Loaded> {
  const problems: Problem[] = [];
  const warnings: string[] = [];
  const told = new Set<string>();
  const { source, problems: syntax } = readYaml(readText(file, options.sources));
  if (syntax.length > 0) throw new ConfigError(file, syntax);

  const context: LoadContext = {
    ...options,
    directory: dirname(resolve(file)),
    inlineSecrets: [],
    notRead: new Set(),
    expanded: new Set(),
    problem: (path, text) => {
      if (told.has(JSON.stringify(path))) return;
      told.add(JSON.stringify(path));
      problems.push({ path, text, line: source.lineOf(path) });
    },
    hush: (path) => told.add(JSON.stringify(path)),
    warn: (path, text) => warnings.push(`${pathText(path)}: ${text}`),
  };
  const root = topLevel(source.root, context);
  const sections = expandSections(root, context);
  const scalars = readScalars(sections, options.sources.env, context.problem);
  const store = readStore(sections['store'], scalars.store, context);
  const http = readHttp(scalars.http, context);
  if (root['numbers'] === undefined && options.sources.env['ZPB_NUMBERS_COUNTRY'] === undefined) {
    context.warn(['numbers', 'country'], 'is not set; national numbers are read as German (DE), as Zammad does');
  }
  const calls = toCallSettings(scalars);
  const zammad = readZammad(root, context);
  const pbx = await readPbxEntries(list(root, 'pbx', context), calls, context);
  const agents = readEntries<AgentConfig>(root, 'agents', agentSchema, context);
  const dids = readEntries<Did>(root, 'dids', didSchema, context);
  crossCheck({ zammad, pbx, agents, dids, country: scalars.numbers.country }, context.problem);
  if (problems.length > 0) throw new ConfigError(file, inFileOrder(problems));

  if (options.needSecrets) warnAboutMode(file, context);
  const config: Config = {
    ...toSettings(scalars),
    ...numberFilters(zammad, pbx, agents, scalars.numbers.country),
    dids: dids.filter((did) => did !== undefined),
    calls,
    store,
    http,
  };
  return { config, warnings };
}

function readText(file: string, sources: Sources): string {
  let text: string;
  try {
    text = sources.readFile(file);
  } catch (error) {
    throw new ConfigError(file, [
      {
        path: [],
        text: `the configuration cannot be read: ${fileTrouble(error)}; say which file with --config FILE or ZPB_CONFIG`,
      },
    ]);
  }
  if (text.length > MAX_FILE)
    throw new ConfigError(file, [{ path: [], text: 'is larger than 1 MiB; is it the right file?' }]);
  return text;
}

function topLevel(tree: Tree, context: LoadContext): TreeMap {
  if (tree === null) return {};
  if (!isTreeMap(tree)) {
    context.problem([], 'must be groups of settings ("zammad:", "pbx:", "agents:" …); see config/default.yaml');
    return {};
  }
  const known = [...LISTS, ...SECTIONS];
  for (const key of Object.keys(tree)) {
    if (!known.some((name) => name === key)) {
      context.problem([key], `is not a setting${suggestion(key, known) || `; known here: ${known.join(', ')}`}`);
    }
  }
  return tree;
}

const expandSections = (root: TreeMap, context: LoadContext): TreeMap =>
  Object.fromEntries(
    SECTIONS.map((section) => {
      const tree = root[section] ?? null;
      const secrets = new Map(secretsOf(section).map((key) => [key, { required: false }]));
      if (secrets.size > 0 && isTreeMap(tree)) return [section, expandGroup(tree, [section], secrets, context)];
      return [section, expandTree(tree, [section], context)];
    }),
  );

function list(root: TreeMap, key: (typeof LISTS)[number], context: LoadContext): readonly Tree[] {
  const tree = root[key] ?? null;
  const example = `- { ${key === 'dids' ? 'number' : key === 'agents' ? 'extension' : 'name'}: …`;
  const required = key === 'zammad' || key === 'pbx';
  if (tree === null || (Array.isArray(tree) && tree.length === 0)) {
    if (required) context.problem([key], `is missing; at least one is needed: "${key}:" and below it "  ${example} }"`);
    return [];
  }
  if (Array.isArray(tree)) return tree as readonly Tree[];
  context.problem([key], `must be a list; begin each entry with "- ", e.g. "${example} }"`);
  return [];
}

function readEntries<Entry>(
  root: TreeMap,
  key: 'agents' | 'dids',
  schema: typeof agentSchema | typeof didSchema,
  context: LoadContext,
): Entries<Entry> {
  return list(root, key, context).map((tree, index) =>
    parsePart(schema, expandTree(tree, [key, index], context), [key, index], context),
  ) as Entries<Entry>;
}

function readZammad(root: TreeMap, context: LoadContext): Entries<ZammadConfig> {
  const secrets = secretKeysOf(zammadSchema);
  return list(root, 'zammad', context).map((tree, index) => {
    const path: Path = ['zammad', index];
    if (!isTreeMap(tree)) {
      context.problem(path, 'must be a group of settings: { name: …, url: … }');
      return undefined;
    }
    const entry = parsePart(zammadSchema, expandGroup(tree, path, secrets, context), path, context);
    if (entry === undefined) return undefined;
    let { url: secretUrl } = entry;
    let origin = '';
    if (!isPlaceholder([...path, 'url'], context)) {
      const url = checkCtiUrl(entry.url.reveal());
      if (!url.ok) {
        context.problem([...path, 'url'], url.text);
        return undefined;
      }
      origin = url.origin;
      secretUrl = new Secret(url.href);
      if (url.plaintext)
        context.warn([...path, 'url'], 'is http: token and calls go over the network in clear; use https');
    }
    if (
      entry.apiToken !== undefined &&
      !isToken(entry.apiToken.reveal()) &&
      !isPlaceholder([...path, 'apiToken'], context)
    ) {
      context.problem(
        [...path, 'apiToken'],
        'has blanks or other characters that no token has; paste it anew from Zammad',
      );
      return undefined;
    }
    const caFile = entry.caFile === undefined ? undefined : resolve(context.directory, entry.caFile);
    if (caFile !== undefined && context.needSecrets) checkAuthorities(caFile, [...path, 'caFile'], context);
    return { ...entry, url: secretUrl, name: asZammadName(entry.name), origin, filter: entry.filter ?? {}, caFile };
  });
}

/** A file that is wrong is said here, and not when the first request fails. */
function checkAuthorities(file: string, path: Path, context: LoadContext): void {
  try {
    if (context.sources.readFile(file).includes('-----BEGIN CERTIFICATE-----')) return;
    context.problem(path, 'the file holds no certificate in PEM form ("-----BEGIN CERTIFICATE-----")');
  } catch (error) {
    context.problem(path, `the file cannot be read: ${fileTrouble(error)}`);
  }
}

/** What can stand in a request's header. */
const isToken = (text: string): boolean => /^[\x21-\x7e]+$/.test(text);

function warnAboutMode(file: string, context: LoadContext): void {
  const [first] = context.inlineSecrets;
  if (first === undefined) return;
  try {
    if ((context.sources.fileMode(file) & WORLD_READABLE) === 0) return;
  } catch {
    return; // It was read a moment ago; whoever moved it away will hear of it at the next start.
  }
  context.warn(
    first,
    `stands in ${file}, which everybody on this machine may read; chmod 600 it, or write secrets as …File or \${VARIABLE}`,
  );
}

const inFileOrder = (problems: readonly Problem[]): readonly Problem[] =>
  [...problems].sort((a, b) => (a.line ?? Number.MAX_SAFE_INTEGER) - (b.line ?? Number.MAX_SAFE_INTEGER));
