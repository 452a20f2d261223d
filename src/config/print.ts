import { stringify } from 'yaml';
import { Secret } from '../secret.js';
import type { Config } from './model.js';

const MASK = '[secret]';
/** Keys of an adapter from outside that should have been made with `secretField`. Paths (`…File`) are no secrets. */
const SECRET_KEY = /(pass(word|wd|phrase)?|secret|token|api_?key|credential)s?$/i;
const MAX_DEPTH = 16;

/** A copy of plain data in which every Secret, and every text under a key that sounds like one, is masked. */
export function redact(value: unknown, depth = 0): unknown {
  if (value instanceof Secret) return MASK;
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? undefined : value;
  if (depth > MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined)
      .map(([key, inner]) => [key, isOpenSecret(key, inner) ? MASK : redact(inner, depth + 1)]),
  );
}

const isOpenSecret = (key: string, value: unknown): boolean =>
  SECRET_KEY.test(key) && (typeof value === 'string' || typeof value === 'number') && value !== '';

/** The effective configuration as YAML, without secrets. */
export const printConfig = (config: Config): string =>
  stringify(redact(config), { lineWidth: 120, aliasDuplicateObjects: false });
