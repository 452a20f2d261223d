/**
 * Errors of this program are permanent (a person must mend something: wrong password, unknown setting) or retriable
 * (time may mend it: connection refused). Every one has a code of docs/errors.md, and a message that says what happened,
 * to what, and what to do. No message ever holds a secret.
 */
export abstract class BridgeError extends Error {
  abstract readonly retriable: boolean;
  constructor(
    /** Stable, documented in docs/errors.md: `ZPB_…`. */
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A person must mend something first. Retried slowly, readiness red. */
export class PermanentError extends BridgeError {
  readonly retriable = false;
}

/** Time may mend it. */
export class RetriableError extends BridgeError {
  readonly retriable = true;
}

/** Any thrown thing as an Error, so that a `catch` can log it. */
export const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
