import type { TrunkTest } from './legs.js';

/** A test for `trunks`: names, `*` stands for anything; compared without regard to case. undefined: nothing is configured. */
export function trunkTest(patterns: readonly string[] | undefined): TrunkTest | undefined {
  if (patterns === undefined) return undefined;
  const tests = patterns.map((pattern) => {
    const source = pattern.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${source.join('.*')}$`, 'i');
  });
  return (names) => tests.some((test) => names.some((name) => test.test(name)));
}
