/** A store that is full of tokens: by accident, or by a script that makes one for each of its runs. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { command as token } from '../../../src/cli/token.js';
import { MOST_TOKENS } from '../../../src/store/credentials.js';
import { openStore } from '../../../src/store/open-store.js';
import { seenContext } from '../../support/store-rows.js';

// Each command opens the store anew, which takes a busy disk seconds.
jest.setTimeout(30_000);

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'zpb-tokens-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

test('no token is made beyond the bound, and none is shown', async () => {
  const path = join(directory, 'bridge.db');
  const store = await openStore({ kind: 'sqlite', path, durability: 'normal', keep: 1e9 }, seenContext().context);
  await store.close(1_000);
  const raw = new Sqlite(path);
  raw.exec(`with recursive n(i) as (select 1 union all select i + 1 from n where i < ${MOST_TOKENS - 1})
    insert into zpb_credentials (id, kind, agent, hash, created_at) select 'id' || i, 'token', '100', 'h', 1 from n`);
  raw.close();
  const config = join(directory, 'config.yaml');
  await writeFile(
    config,
    `zammad: [{ name: main, url: "http://127.0.0.1:1/api/v1/cti/some-token" }]
numbers: { country: DE }
pbx: [{ name: office, adapter: asterisk-ami, host: 127.0.0.1, username: bridge, secret: pw, trunks: [trunk] }]
agents: [{ extension: "100", name: Alice Agent }]
store: { path: "${path}" }
`,
    { mode: 0o600 },
  );
  const create = async () => {
    const said = { out: '', err: '' };
    const status = await token.run({
      args: ['create', '100'],
      options: { config },
      stdout: { write: (text) => (said.out += text) },
      stderr: { write: (text) => (said.err += text) },
      env: {},
      signal: new AbortController().signal,
    });
    return { status, ...said };
  };
  expect(await create()).toMatchObject({ status: 0, out: expect.stringMatching(/^zpb_/) });
  expect(await create()).toEqual({
    status: 1,
    out: '',
    err: expect.stringMatching(/holds 5000 already.*token revoke/),
  });
});
