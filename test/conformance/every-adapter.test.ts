import { expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { ADAPTERS } from '../../adapters/index.js';

test.each([...Object.keys(ADAPTERS), 'template'])('the adapter %s is held to the contract', (type) => {
  expect(existsSync(new URL(`${type}.test.ts`, import.meta.url))).toBe(true);
});
