import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { configSchema } from '../../../adapters/asterisk-ari/config.js';
import { readRecording } from '../../../adapters/asterisk-ari/recording.js';
import { WANTED_EVENTS } from '../../../adapters/asterisk-ari/translation.js';
import { AsteriskBench, type TimedPost } from '../../support/asterisk-bench.js';
import { asteriskCases, recordedCases, type RecordedCase } from '../../support/asterisk-cases.js';
import { judge } from '../../support/caller-log-judge.js';

/** `ZPB_WRITE_CASES=1` writes the expected posts anew; a person must then read what changed. */
const rewrite = process.env['ZPB_WRITE_CASES'] === '1';
const cases = recordedCases('asterisk-ari', 'input.ari');

/** The bytes through the adapter's own reader and the brain, as `replay` does it. */
function replay(recorded: RecordedCase): readonly TimedPost[] {
  const { trunks, agents } = recorded;
  const config = configSchema.parse({ username: 'bridge', secret: 'none', trunks });
  const bench = new AsteriskBench({ trunks, agents });
  for (const { at, batch } of readRecording(config).push(recorded.bytes())) bench.until(at).tell(batch);
  return bench.finish().posts;
}
const line = ({ t, post }: TimedPost): string => JSON.stringify({ t: Math.round(t), post });

describe('calls of a real Asterisk, recorded over ARI', () => {
  test.each(cases)('$name', (recorded) => {
    const posts = replay(recorded);
    const lines = posts.map(line);
    if (rewrite) writeFileSync(`${recorded.directory}/expected.jsonl`, lines.map((text) => `${text}\n`).join(''));
    const names = new Map(recorded.agents.map(({ extension, name }) => [extension, name]));
    expect(judge(posts, recorded.truth.calls, names)).toEqual([]);
    expect(lines).toEqual(recorded.expected());
  });

  test('say what the Manager Interface said of the same calls', () => {
    /** Without what differs from one time that a call is made to the next, and so does which of two calls ends first. */
    const told = ({ expected }: RecordedCase): readonly string[] =>
      expected()
        .map((text) => text.replace(/^\{"t":\d+,/, '{').replace(/"callId":"[^"]*",/, ''))
        .sort();
    const overAmi = new Map(asteriskCases.map((recorded) => [recorded.name, told(recorded)]));
    for (const recorded of cases) {
      expect({ case: recorded.name, told: told(recorded) }).toEqual({
        case: recorded.name,
        told: overAmi.get(recorded.name),
      });
    }
  });
});

test('a trimmed recording keeps every event that legs are made of', () => {
  const script = readFileSync(new URL('../../../scripts/trim-ari-recording.mjs', import.meta.url), 'utf8');
  const unrecorded = new Set(['ApplicationReplaced', 'StasisEnd', 'StasisStart']);
  const lost = WANTED_EVENTS.filter((event) => !unrecorded.has(event) && !script.includes(`'${event}'`));
  expect(lost).toEqual([]);
});
