import { z } from 'zod';
import { loadConfig, type Loaded } from '../../../src/config/load.js';
import { ConfigError } from '../../../src/config/problems.js';
import { secretField } from '../../../src/config/secrets.js';
import type { Sources } from '../../../src/config/sources.js';
import { defineAdapter } from '../../../src/pbx/adapter.js';
import { AdapterRegistry } from '../../../src/pbx/registry.js';

/** An adapter that has every kind of setting; it is never created. */
export const fakeAdapter = defineAdapter({
  type: 'fake',
  configSchema: z.strictObject({
    host: z.string().min(1).meta({ description: 'address of the PBX' }),
    port: z.int().min(1).max(65_535).default(5038),
    tls: z.boolean().default(false),
    secret: secretField({ description: 'its password' }),
    apiKey: secretField({ description: 'its key' }).optional(),
    trunks: z.array(z.string()).default([]),
  }),
  identity: ({ host, port }) => `fake ${host}:${String(port)}`,
  create: () => {
    throw new Error('a configuration is read without creating anything');
  },
});

/** One of several interfaces of a PBX. */
const interfaceOf = (over: string): typeof fakeAdapter => ({
  ...fakeAdapter,
  type: `fake-${over}`,
  identity: (settings) => ({ pbx: 'fake of one machine', over: over.toUpperCase(), port: settings.port }),
});

export const registry = (): AdapterRegistry =>
  new AdapterRegistry(
    {
      fake: () => Promise.resolve({ adapter: fakeAdapter }),
      'fake-one': () => Promise.resolve({ adapter: interfaceOf('one') }),
      'fake-two': () => Promise.resolve({ adapter: interfaceOf('two') }),
    },
    (specifier) =>
      Promise.reject(Object.assign(new Error(`Cannot find package '${specifier}'`), { code: 'ERR_MODULE_NOT_FOUND' })),
  );

export interface World {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly modes?: Readonly<Record<string, number>>;
  readonly needSecrets?: boolean;
}

export const FILE = '/etc/bridge/config.yaml';

/** Sources of a small world; what was read is listed. */
export function sourcesOf(yaml: string, { env = {}, files = {}, modes = {} }: World, reads: string[] = []): Sources {
  const all: Readonly<Record<string, string>> = { ...files, [FILE]: yaml };
  const readable = (path: string): string => {
    const text = all[path];
    if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
    return text;
  };
  return {
    env,
    readFile: (path) => {
      reads.push(path);
      return readable(path);
    },
    fileMode: (path) => {
      readable(path);
      return modes[path] ?? 0o640;
    },
  };
}

export const load = (yaml: string, world: World = {}, reads: string[] = []): Promise<Loaded> =>
  loadConfig(FILE, {
    sources: sourcesOf(yaml, world, reads),
    needSecrets: world.needSecrets ?? true,
    adapters: registry(),
  });

/** The problems of a configuration that must be refused. */
export async function problemsOf(yaml: string, world: World = {}): Promise<readonly string[]> {
  try {
    await load(yaml, world);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('this configuration was accepted');
}

export const TOKEN_URL = 'https://zammad.example.com/api/v1/cti/t0ken';
const ZAMMAD = `zammad: [{ name: main, url: "${TOKEN_URL}" }]`;
const PBX = 'pbx: [{ name: office, adapter: fake, host: 10.0.0.5, secret: s3cret }]';

/** A sound configuration with one part replaced. */
export const sound = ({
  zammad = ZAMMAD,
  pbx = PBX,
  rest = '',
}: {
  zammad?: string;
  pbx?: string;
  rest?: string;
} = {}): string => [zammad, pbx, 'numbers: { country: DE }', rest].join('\n');

/** A sound PBX entry with more keys. */
export const pbxWith = (more: string): string =>
  `pbx:\n  - { name: office, adapter: fake, host: 10.0.0.5, secret: s3cret, ${more} }`;
