/**
 * Leads the PBX `office` on a store and writes until it is killed. `store-writer sqlite PATH` or `postgres URL`, then the name of the
 * machine. After everything that the store has confirmed it says so, at once, on stdout: `SEQ STATE`, or `call ID`.
 */
import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/open-store.js';
import type { DurableSettings } from '../../src/store/settings.js';
import { Secret } from '../../src/secret.js';
import { leadOf, openCall, overCall, seenContext, somePost } from './store-rows.js';

const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};

const [kind, where = '', holder] = process.argv.slice(2);
const rest = { durability: 'full', keep: 7 * 86_400_000 } as const;
const settings: DurableSettings =
  kind === 'postgres' ? { kind, url: new Secret(where), ...rest } : { kind: 'sqlite', path: where, ...rest };
async function main(): Promise<void> {
  const store = await openStore(settings, seenContext({}, { holder }).context);
  const lead = await leadOf(store);
  say(`leads ${lead.epoch}`);

  async function oneCall(name: string): Promise<void> {
    await lead.commit({ calls: [openCall(name)], posts: [] });
    say(`call ${name}`);
    const items = await lead.commit({
      calls: [openCall(name, { answered: true })],
      posts: [somePost(name), somePost(name, 'answer')],
    });
    for (const { seq } of items) say(`${seq} waiting`);
    for (const { seq } of items) {
      await store.outbox.attempt(seq);
      say(`${seq} sending`);
    }
    await store.outbox.settle(items[0]!.seq, 'delivered');
    say(`${items[0]!.seq} delivered`);
    if (name.endsWith('0')) {
      await lead.commit({ calls: [overCall(name)], posts: [] });
      say(`over ${name}`);
    }
  }

  for (let n = 0; ; n += 1) {
    await Promise.all([0, 1, 2].map((part) => oneCall(`${lead.epoch}-${n}-${part}`)));
  }
}

void main();
