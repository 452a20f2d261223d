const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** Timers hold at most 2^31 - 1 ms. */
const LONGEST = 24 * 86_400_000;

/** `150ms`, `10s`, `5m`, `4h`, `1d` → milliseconds; `undefined` when it is no such thing. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined) return undefined;
  const millis = Number(digits) * (UNITS[unit] ?? Number.NaN);
  return millis <= LONGEST ? millis : undefined;
}
