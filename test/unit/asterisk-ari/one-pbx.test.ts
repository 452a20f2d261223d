/** One Asterisk is heard over one interface: `check` says so of two entries. */
import { expect, test } from '@jest/globals';
import { ADAPTERS } from '../../../adapters/index.js';
import { loadConfig } from '../../../src/config/load.js';
import { ConfigError } from '../../../src/config/problems.js';
import { AdapterRegistry } from '../../../src/pbx/registry.js';
import { FILE, sourcesOf } from '../config/support.js';

const AMI = 'adapter: asterisk-ami, username: b, secret: s, trunks: [t]';
const ARI = 'adapter: asterisk-ari, username: b, secret: s, trunks: [t]';

async function problemsOf(...entries: readonly string[]): Promise<string> {
  const pbx = entries.map((entry, index) => `{ name: pbx${index}, ${entry} }`).join(', ');
  const yaml = `zammad: [{ name: main, url: "https://zammad.example.com/api/v1/cti/t0ken" }]\npbx: [${pbx}]`;
  const adapters = new AdapterRegistry(ADAPTERS);
  return loadConfig(FILE, { sources: sourcesOf(yaml, {}), needSecrets: true, adapters }).then(
    () => '',
    (thrown: unknown) => (thrown instanceof ConfigError ? thrown.problems.join() : String(thrown)),
  );
}

test.each([
  ['AMI and ARI of one machine', [AMI, ARI], 'pbx[1]: is the same as in pbx[0] (AMI and ARI of one machine)'],
  ['one ARI twice', [ARI, ARI], 'pbx[1]: is the same as in pbx[0];'],
  ['ARI of two ports', [ARI, `${ARI}, port: 8090`], ''],
  ['AMI of two ports', [AMI, `${AMI}, port: 5040`], ''],
  ['AMI and ARI of two machines', [AMI, `${ARI}, host: 10.0.0.5`], ''],
])('%s', async (_, entries, words) => {
  const problems = await problemsOf(...entries);
  if (words === '') expect(problems).toBe('');
  else expect(problems).toContain(words);
});
