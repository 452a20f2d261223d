/**
 * Errors of this program are permanent (a person must mend something: wrong password, unknown setting) or retriable
 * (time may mend it: connection refused). Every one has a code of docs/errors.md, and a message that says what happened,
 * to what, and what to do. No message ever holds a secret. A `catch` knows them by `isBridgeError`.
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

/** An Error of this realm, or a native one of another (`node:vm`), where `Error` is another class. */
const isError = (thrown: unknown): thrown is Error =>
  thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]';

/**
 * Is it an error of this program? Known by its shape, not by its class: `replay` is a bundle with classes of its own, and so is an
 * adapter from outside. The shape is an Error with a `code` that begins with `ZPB_`, and `retriable`.
 */
export const isBridgeError = (thrown: unknown): thrown is BridgeError =>
  isError(thrown) &&
  'code' in thrown &&
  typeof thrown.code === 'string' &&
  thrown.code.startsWith('ZPB_') &&
  'retriable' in thrown &&
  typeof thrown.retriable === 'boolean';

/** Any thrown thing as an Error, so that a `catch` can log it. */
export const asError = (thrown: unknown): Error => (isError(thrown) ? thrown : new Error(String(thrown)));
