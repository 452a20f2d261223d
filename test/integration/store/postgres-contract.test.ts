import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { Secret } from '../../../src/secret.js';
import { openDesk, openStore } from '../../../src/store/open-store.js';
import type { StoreSettings } from '../../../src/store/settings.js';
import { noPostgres, PostgresCluster } from '../../support/postgres-cluster.js';
import { describeStore } from '../../support/store-contract.js';
import { seenContext } from '../../support/store-rows.js';

const reason = noPostgres();
if (reason !== undefined) {
  test.skip(`store: PostgreSQL (skipped: ${reason})`, () => undefined);
} else {
  describe('on a cluster of its own', () => {
    let cluster: PostgresCluster;
    beforeAll(async () => {
      cluster = await PostgresCluster.start();
    }, 60_000);
    afterAll(() => cluster.close());

    for (const durability of ['full'] as const) {
      describeStore(`PostgreSQL, durability ${durability}`, async () => {
        const url = new Secret(cluster.createDatabase());
        const settings: StoreSettings = { kind: 'postgres', url, durability, keep: 7 * 86_400_000 };
        return {
          store: await openStore(settings, seenContext().context),
          reopen: () => openStore(settings, seenContext().context),
          desk: () => openDesk(settings, seenContext().context),
          dispose: () => Promise.resolve(),
        };
      });
    }
  });
}
