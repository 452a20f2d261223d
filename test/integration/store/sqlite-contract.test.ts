import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDesk, openStore } from '../../../src/store/open-store.js';
import type { StoreSettings } from '../../../src/store/settings.js';
import { describeStore } from '../../support/store-contract.js';
import { seenContext } from '../../support/store-rows.js';

for (const durability of ['full', 'normal'] as const) {
  describeStore(`SQLite, durability ${durability}`, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'zpb-store-'));
    const settings: StoreSettings = {
      kind: 'sqlite',
      path: join(directory, 'data', 'bridge.db'),
      durability,
      keep: 7 * 86_400_000,
    };
    return {
      store: await openStore(settings, seenContext().context),
      reopen: () => openStore(settings, seenContext().context),
      desk: () => openDesk(settings, seenContext().context),
      dispose: () => rm(directory, { recursive: true, force: true }),
    };
  });
}
