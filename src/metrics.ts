/** Counts and gauges of one running bridge. Bounded: names and labels come from the program, never from callers. */
export class Metrics {
  readonly #values = new Map<string, number>();

  /** Adds to a counter. */
  count(name: string, labels: Readonly<Record<string, string>> = {}, by = 1): void {
    const key = keyOf(name, labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + by);
  }
  /** Sets a gauge. */
  gauge(name: string, value: number, labels: Readonly<Record<string, string>> = {}): void {
    this.#values.set(keyOf(name, labels), value);
  }
  /** Every series, as `name{label="value"}`. */
  all(): ReadonlyMap<string, number> {
    return this.#values;
  }
}

const keyOf = (name: string, labels: Readonly<Record<string, string>>): string => {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
};
