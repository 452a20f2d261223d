import { expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ADAPTERS } from '../../../adapters/index.js';
import { loadConfig } from '../../../src/config/load.js';
import { AdapterRegistry } from '../../../src/pbx/registry.js';

const FOLDER = 'config/examples';
/** Any secret: the examples name variables and files that are not here. */
const env = new Proxy(
  {},
  {
    get: (_target, key) => (String(key).startsWith('ZPB_') ? undefined : 'x'),
  },
);

test.each(readdirSync(FOLDER))('config/examples/%s is accepted without a warning', async (name) => {
  const { config, warnings } = await loadConfig(join(FOLDER, name), {
    sources: {
      env,
      readFile: (path) => {
        if (path === join(FOLDER, name)) return readFileSync(path, 'utf8');
        return path.endsWith('.url') ? 'https://zammad.example.com/api/v1/cti/x' : 'x';
      },
      fileMode: () => 0o640,
    },
    needSecrets: true,
    adapters: new AdapterRegistry(ADAPTERS),
  });
  expect(warnings).toEqual([]);
  expect(config.pbx.length).toBeGreaterThan(0);
});
