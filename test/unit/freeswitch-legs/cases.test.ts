import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { configSchema } from '../../../adapters/freeswitch/config.js';
import { CONFERENCE, LEG_EVENTS } from '../../../adapters/freeswitch/legs.js';
import { readRecording } from '../../../adapters/freeswitch/recording.js';
import { judge } from '../../support/caller-log-judge.js';
import { FREESWITCH_AGENTS, FreeSwitchBench } from '../../support/freeswitch-bench.js';
import { type FreeSwitchCase, freeSwitchCases } from '../../support/freeswitch-cases.js';
import type { TimedPost } from '../../support/leg-bench.js';

/** `ZPB_WRITE_CASES=1` writes the expected posts anew; a person must then read what changed. */
const rewrite = process.env['ZPB_WRITE_CASES'] === '1';
const config = configSchema.parse({ password: 'none' });
const names = new Map(FREESWITCH_AGENTS.map(({ extension, name }) => [extension, name]));

/** The bytes through the adapter's own reader and the brain, as `replay` does it. */
function replay(bytes: Buffer): readonly TimedPost[] {
  const bench = new FreeSwitchBench();
  for (const { at, batch } of readRecording(config).push(bytes)) bench.until(at).tell(batch);
  return bench.finish().posts;
}
const line = ({ t, post }: TimedPost): string => JSON.stringify({ t: Math.round(t), post });

describe('recorded calls of a real FreeSWITCH', () => {
  test.each(freeSwitchCases)('$name', (recorded) => {
    const posts = replay(recorded.bytes());
    const lines = posts.map(line);
    if (rewrite) writeFileSync(`${recorded.directory}/expected.jsonl`, lines.map((text) => `${text}\n`).join(''));
    expect(judge(posts, recorded.truth.calls, names)).toEqual([]);
    expect(lines).toEqual(recorded.expected());
  });

  test('their number', () => {
    expect(freeSwitchCases.length).toBeGreaterThan(70);
  });
});

describe('what was heard as JSON gives the same posts as what was heard as plain text', () => {
  const twins = freeSwitchCases.flatMap((one): (FreeSwitchCase & { readonly json: Buffer })[] => {
    const json = one.twin();
    return json === undefined ? [] : [{ ...one, json }];
  });
  test.each(twins)('$name', (one) => {
    expect(one.json.includes('text/event-json')).toBe(true);
    expect(replay(one.json).map(line)).toEqual(replay(one.bytes()).map(line));
  });
  test('their number', () => {
    expect(twins.length).toBeGreaterThan(4);
  });
});

test('a trimmed recording keeps every event that legs are made of', () => {
  const script = readFileSync(new URL('../../../scripts/trim-esl-recording.mjs', import.meta.url), 'utf8');
  const kept = [...LEG_EVENTS].filter((event) => event !== 'CUSTOM').concat(CONFERENCE);
  for (const event of kept) expect({ event, kept: script.includes(`'${event}'`) }).toEqual({ event, kept: true });
});
