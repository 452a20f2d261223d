/** Which adapters there are: those of the program, by type, and others by package name or path. */
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PermanentError } from '../errors.js';
import type { AdapterDefinition } from './adapter.js';

/** Loads an adapter's module; nothing of it is loaded before. */
export type LazyAdapter = () => Promise<object>;

const CODE = 'ZPB_ADAPTER';
const UNKNOWN = 'ZPB_ADAPTER_UNKNOWN';
/** A file, `./x.js`, `../x.js` or `/x/y.js`. */
const isPath = (text: string): boolean => /^\.{1,2}\//.test(text) || isAbsolute(text);
const PACKAGE = /^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*(\/[\w.-]+)*$/;

export class AdapterRegistry {
  readonly #known = new Map<string, LazyAdapter>();
  readonly #importModule: (specifier: string) => Promise<object>;

  /**
   * @param list adapters/index.ts.
   * @param importModule how a module from outside is loaded; injected by tests.
   */
  constructor(
    list: Readonly<Record<string, LazyAdapter>> = {},
    importModule: (specifier: string) => Promise<object> = async (specifier) => (await import(specifier)) as object,
  ) {
    this.#importModule = importModule;
    for (const [type, lazy] of Object.entries(list)) this.add(type, lazy);
  }

  /** Throws ZPB_ADAPTER when there is one of that type already: two would hide each other. */
  add(type: string, lazy: LazyAdapter): void {
    if (this.#known.has(type)) {
      throw new PermanentError(CODE, `there are two adapters of type "${type}"; rename or remove one`);
    }
    this.#known.set(type, lazy);
  }

  /** The known types, sorted. */
  types(): readonly string[] {
    return [...this.#known.keys()].sort();
  }

  /**
   * The definition for what the configuration says as `adapter`: a known type, a path (relative to `directory`, that of the
   * configuration file) or a package installed beside the bridge. The module's `adapter` or default export is taken.
   * Throws ZPB_ADAPTER_UNKNOWN, with the known types, or ZPB_ADAPTER where what was found is no adapter.
   */
  async load(name: string, directory: string): Promise<AdapterDefinition> {
    const known = this.#known.get(name);
    if (known !== undefined) {
      const definition = definitionIn(await known(), name);
      if (definition.type !== name) {
        throw new PermanentError(
          CODE,
          `the adapter listed as "${name}" calls itself "${definition.type}"; make them equal`,
        );
      }
      return definition;
    }
    const definition = definitionIn(await this.#import(name, directory), name);
    if (this.#known.has(definition.type)) {
      throw new PermanentError(
        CODE,
        `"${name}" calls itself "${definition.type}", which this program has already; it must have a type of its own`,
      );
    }
    return definition;
  }

  async #import(name: string, directory: string): Promise<object> {
    const path = isPath(name);
    if (!path && !PACKAGE.test(name)) throw this.#unknown(name);
    const specifier = path ? pathToFileURL(resolve(directory, name)).href : name;
    try {
      return await this.#importModule(specifier);
    } catch (error) {
      const { code, message } = described(error);
      const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
      // The package itself is not there, rather than something that it needs.
      if (!path && missing && (message.includes(`'${packageOf(name)}'`) || message.includes(`'${name}'`))) {
        throw this.#unknown(name);
      }
      throw new PermanentError(CODE, `the module "${name}" cannot be loaded: ${firstLine(message)}`, { cause: error });
    }
  }

  #unknown(name: string): PermanentError {
    const types = this.types().join(', ') || 'none';
    return new PermanentError(
      UNKNOWN,
      `there is no adapter "${name}"; known are ${types}, or a package name, or a path (./x.js)`,
    );
  }
}

const firstLine = (text: string): string => (text.split('\n')[0] ?? '').slice(0, 300);
const packageOf = (name: string): string => name.split('/', name.startsWith('@') ? 2 : 1).join('/');

/** Modules from outside may throw anything. */
function described(thrown: unknown): { readonly code: unknown; readonly message: string } {
  if (typeof thrown !== 'object' || thrown === null) return { code: undefined, message: String(thrown) };
  const { code, message } = thrown as { readonly code?: unknown; readonly message?: unknown };
  return { code, message: typeof message === 'string' ? message : 'it threw something that is no error' };
}

function definitionIn(module: object, name: string): AdapterDefinition {
  const exports = module as { readonly adapter?: unknown; readonly default?: unknown };
  const candidate = exports.adapter ?? exports.default;
  const missing = missingIn(candidate);
  if (missing !== undefined) {
    throw new PermanentError(
      CODE,
      `the module of "${name}" exports no adapter: ${missing}; export defineAdapter({ type, configSchema, create }) as "adapter" or default`,
    );
  }
  return candidate as AdapterDefinition;
}

function missingIn(candidate: unknown): string | undefined {
  if (typeof candidate !== 'object' || candidate === null)
    return 'there is neither "adapter" nor a default export that is an object';
  const { type, configSchema, create } = candidate as Partial<Record<keyof AdapterDefinition, unknown>>;
  if (typeof type !== 'string' || !/^[a-z0-9][a-z0-9_-]*$/.test(type)) return '"type" is no name';
  const isSchema =
    typeof configSchema === 'object' && configSchema !== null && '_zod' in configSchema && 'safeParse' in configSchema;
  if (!isSchema) return '"configSchema" is no zod 4 schema';
  if (typeof create !== 'function') return '"create" is no function';
  return undefined;
}
