import { Counter, Gauge, Registry } from 'prom-client';
import { METRIC_CATALOGUE } from './metric-catalogue.js';

type Labels = Readonly<Record<string, string>>;

/** Names that adapters from outside may bring besides those of the catalogue. */
const MOST_FOREIGN = 200;

/**
 * Counts and gauges of one running bridge, for Prometheus. Every metric of the catalogue is there from the start, at zero
 * where it has no labels. Bounded: names and labels come from the program and the configuration, never from callers.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #beforeScrape = new Set<() => void>();

  constructor() {
    for (const [name, { kind, labels, meaning }] of Object.entries(METRIC_CATALOGUE)) {
      const settings = { name, help: meaning, labelNames: [...labels], registers: [this.#registry] };
      if (kind === 'counter') this.#counters.set(name, new Counter(settings));
      else this.#gauges.set(name, new Gauge(settings));
    }
  }

  /** Adds to a counter. One that the catalogue lacks belongs to an adapter from outside. */
  count(name: string, labels: Labels = {}, by = 1): void {
    const counter = this.#counters.get(name) ?? this.#foreign(name, Object.keys(labels));
    counter?.inc(labels, by);
  }

  /** Sets a gauge of the catalogue. */
  gauge(name: string, value: number, labels: Labels = {}): void {
    this.#gauges.get(name)?.set(labels, value);
  }

  /** Runs `task` each time before the numbers are read: for what is measured between two looks. The returned function ends that. */
  onScrape(task: () => void): () => void {
    this.#beforeScrape.add(task);
    return () => {
      this.#beforeScrape.delete(task);
    };
  }

  /** Everything, in Prometheus' text format. */
  text(): Promise<string> {
    for (const task of this.#beforeScrape) task();
    return this.#registry.metrics();
  }
  get contentType(): string {
    return this.#registry.contentType;
  }

  #foreign(name: string, labelNames: string[]): Counter | undefined {
    if (
      !/^[a-z_][a-z0-9_]*$/.test(name) ||
      this.#counters.size >= MOST_FOREIGN + Object.keys(METRIC_CATALOGUE).length
    ) {
      return undefined;
    }
    const counter = new Counter({ name, help: 'Counted by an adapter.', labelNames, registers: [this.#registry] });
    this.#counters.set(name, counter);
    return counter;
  }
}
