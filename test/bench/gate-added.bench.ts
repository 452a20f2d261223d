/** See gate-added.mjs. Run by jest, for it is what can run the lab; it asserts nothing but that each call rings. */
import { expect, jest, test } from '@jest/globals';
import { installAsterisk } from '../lab/asterisk-installation.js';
import { customerCalls } from '../e2e/live/scenario.js';
import { BY_FAST_AGI, BY_STASIS } from '../e2e/live/gate-way.js';
import { Stage } from '../e2e/live/stage.js';

jest.setTimeout(10 * 60_000);

const ROUNDS = Number(process.env['ZPB_BENCH_ROUNDS'] ?? '20');
const WAYS = [
  { name: 'FastAGI', over: 'ami', gated: BY_FAST_AGI.one },
  { name: 'Stasis over ARI', over: 'ari', gated: BY_STASIS.one },
] as const;
const UNGATED = 100;

/** From the customer's INVITE to that of the agent's phone, ms. */
async function ringsAfter(stage: Stage, to: number): Promise<number> {
  await stage.begin();
  const began = performance.now();
  const customer = await customerCalls(stage, to);
  await stage.lab.phones.callTo('100', { every: 1 });
  const ms = performance.now() - began;
  await customer.hangUp();
  await stage.lab.silence();
  return ms;
}

function summary(all: readonly number[]): { readonly median: number; readonly text: string } {
  const sorted = all.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
  const [least, median, most] = [at(0), at(0.5), at(1)];
  return { median, text: `${median.toFixed(0)} [${least.toFixed(0)} .. ${most.toFixed(0)}]` };
}

const lines: string[] = [];
for (const series of ['22', '16'] as const)
  test(`Asterisk ${series}`, async () => {
    const installation = await installAsterisk(series);
    if (installation.kind === 'unavailable') {
      lines.push(`Asterisk ${series} cannot be had here: ${installation.reason}`);
      return;
    }
    for (const { name, over, gated } of WAYS) {
      const stage = await Stage.set(installation, { over, gate: true });
      try {
        const without: number[] = [];
        const withGate: number[] = [];
        // In turns, so that whatever else the machine does meets both. The first of each is nobody's.
        for (let round = 0; round <= ROUNDS; round += 1) {
          for (const [to, times] of [
            [UNGATED, without],
            [gated, withGate],
          ] as const) {
            const ms = await ringsAfter(stage, to);
            if (round > 0) times.push(ms);
          }
        }
        expect(withGate).toHaveLength(ROUNDS);
        const [none, some] = [summary(without), summary(withGate)];
        const added = (some.median - none.median).toFixed(0);
        lines.push(
          `${installation.version.padEnd(10)} ${name.padEnd(16)} ${none.text.padEnd(20)} ${some.text.padEnd(20)} ${added}`,
        );
      } finally {
        await stage.close();
      }
    }
  });

test('says it', () => {
  const head = `Asterisk   gate             without, ms          with, ms             adds`;
  process.stdout.write(`${[head, ...lines].join('\n')}\n`);
});
