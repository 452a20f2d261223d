import { resolve } from 'node:path';
import { Secret } from '../secret.js';
import { checkDatabaseUrl } from './database-url.js';
import { isPlaceholder } from './expand.js';
import type { LoadContext } from './load-context.js';
import type { StoreConfig } from './model.js';
import type { Path } from './problems.js';
import { SCALARS, type Scalars } from './scalars.js';
import { millis } from './to-settings.js';
import { isTreeMap, type Tree } from './yaml-source.js';

const MEMORY = 'memory';
const FILE = 'bridge.sqlite';
const PATH: Path = ['store', 'path'];
const URL_PATH: Path = ['store', 'url'];

/** `store`, with its secret expanded and its other values already found sound. What is wrong is told. */
export function readStore(tree: Tree | undefined, scalars: Scalars['store'], context: LoadContext): StoreConfig {
  const { env } = context.sources;
  const keys = isTreeMap(tree) ? tree : {};
  const common = {
    durability: scalars.durability,
    keep: millis(scalars.keep),
    machine: scalars.machine === '' ? undefined : scalars.machine,
  };
  const pathFrom = from(env[SCALARS.store.path.env], SCALARS.store.path.env, keys['path']);
  const url = readUrl(keys['url'], context);
  if (url !== undefined) {
    if (pathFrom !== undefined) {
      const origins = [url.from, pathFrom].filter((origin) => origin !== '').join(', ');
      context.problem(
        URL_PATH,
        `stands beside store.path; keep path for a file on this machine, or url for PostgreSQL${origins === '' ? '' : ` (from the environment: ${origins})`}`,
      );
    }
    return { kind: 'postgres', url: url.secret, ...common };
  }
  if (scalars.path === MEMORY) return { kind: 'memory' };
  const trouble = pathTrouble(scalars.path);
  if (trouble !== undefined) context.problem(PATH, `${trouble}${saysWhere(pathFrom ?? '')}`);
  // systemd gives the folders of StateDirectory=, with colons between them.
  const [stateDirectory = ''] = (env['STATE_DIRECTORY'] ?? '').split(':');
  const path = pathFrom === undefined && stateDirectory !== '' ? resolve(stateDirectory, FILE) : scalars.path;
  return { kind: 'sqlite', path: resolve(context.directory, path), chosen: pathFrom !== undefined, ...common };
}

/** Where a value comes from: the name of the variable, `''` = the file; undefined = it is not set. */
function from(variable: string | undefined, name: string, inFile: Tree | undefined): string | undefined {
  if (variable !== undefined && variable !== '') return name;
  return inFile === undefined || inFile === null ? undefined : '';
}

const saysWhere = (origin: string): string =>
  origin === '' ? '' : ` (it comes from the environment variable ${origin})`;

function readUrl(
  inFile: Tree | undefined,
  context: LoadContext,
): { readonly secret: Secret; readonly from: string } | undefined {
  const name = SCALARS.store.url.env;
  const variable = context.needSecrets ? context.sources.env[name] : undefined;
  const origin = from(variable, name, inFile);
  if (origin === undefined) return undefined;
  const text = origin === '' ? inFile : variable;
  // What is no text was told with the other settings.
  if (typeof text !== 'string' || (origin === '' && isPlaceholder(URL_PATH, context)))
    return { secret: new Secret(''), from: origin };
  const checked = checkDatabaseUrl(text);
  if (!checked.ok) {
    context.problem(URL_PATH, `${checked.text}${saysWhere(origin)}`);
    return { secret: new Secret(''), from: origin };
  }
  if (checked.plaintext) {
    context.warn(
      URL_PATH,
      'leads to another machine without TLS: numbers and names go over the network in clear; add ?sslmode=verify-full',
    );
  }
  return { secret: new Secret(checked.href), from: origin };
}

/** What cannot be meant as a file. The text is not repeated: it may hold a password. */
function pathTrouble(path: string): string | undefined {
  if (/^:?memory:?$/i.test(path.trim())) return 'write memory, as it stands here, to keep everything in memory only';
  if (/^file:|^[a-z][a-z0-9+.-]*:\/\//i.test(path.trim()))
    return 'must be the path of a file; the address of a PostgreSQL database is written as url, or as urlFile';
  if (/\p{Cc}/u.test(path)) return 'must be one line of text';
  if (/(?:^|\/)\.{0,2}$/.test(path)) return `must be a file, not a folder, e.g. ${SCALARS.store.path.default}`;
  return undefined;
}
