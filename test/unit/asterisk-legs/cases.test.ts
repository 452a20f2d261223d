import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { readRecording } from '../../../adapters/asterisk-ami/recording.js';
import { configSchema } from '../../../adapters/asterisk-ami/config.js';
import { LEG_EVENTS } from '../../../adapters/asterisk/legs.js';
import { AsteriskBench, type TimedPost } from '../../support/asterisk-bench.js';
import { type AsteriskCase, asteriskCases } from '../../support/asterisk-cases.js';
import { judge } from '../../support/caller-log-judge.js';

/** `ZPB_WRITE_CASES=1` writes the expected posts anew; a person must then read what changed. */
const rewrite = process.env['ZPB_WRITE_CASES'] === '1';

/** The bytes through the adapter's own reader and the brain, as `replay` does it. */
function replay(recorded: AsteriskCase): readonly TimedPost[] {
  const { trunks, agents } = recorded;
  const config = configSchema.parse({ username: 'bridge', secret: 'none', trunks });
  const bench = new AsteriskBench({ trunks, agents });
  for (const { at, batch } of readRecording(config).push(recorded.bytes())) bench.until(at).tell(batch);
  return bench.finish().posts;
}
const line = ({ t, post }: TimedPost): string => JSON.stringify({ t: Math.round(t), post });

describe('recorded calls of a real Asterisk', () => {
  test.each(asteriskCases)('$name', (recorded) => {
    const posts = replay(recorded);
    const lines = posts.map(line);
    if (rewrite) writeFileSync(`${recorded.directory}/expected.jsonl`, lines.map((text) => `${text}\n`).join(''));
    const names = new Map(recorded.agents.map(({ extension, name }) => [extension, name]));
    expect(judge(posts, recorded.truth.calls, names)).toEqual([]);
    expect(lines).toEqual(recorded.expected());
  });

  test('there are cases of both versions', () => {
    for (const version of ['asterisk-16/', 'asterisk-22/']) {
      expect(asteriskCases.filter(({ name }) => name.startsWith(version)).length).toBeGreaterThan(9);
    }
  });
});

test('a trimmed recording keeps every event that legs are made of', () => {
  const script = readFileSync(new URL('../../../scripts/trim-recording.mjs', import.meta.url), 'utf8');
  for (const event of LEG_EVENTS)
    expect({ event, kept: script.includes(`'${event}'`) || event.startsWith('QueueCaller') }).toEqual({
      event,
      kept: true,
    });
});
