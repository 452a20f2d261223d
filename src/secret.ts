import { inspect } from 'node:util';

/**
 * A value that must never be seen: it prints as `[secret]` in logs, errors, JSON and inspections. Only `reveal()` gives it,
 * and only the code that sends it over the wire calls that.
 */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }
  reveal(): string {
    return this.#value;
  }
  toString(): string {
    return '[secret]';
  }
  toJSON(): string {
    return '[secret]';
  }
  [inspect.custom](): string {
    return '[secret]';
  }
}
