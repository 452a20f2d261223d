import type { BackoffRange } from '../backoff.js';
import type { BridgeError } from '../errors.js';

/** A network that fails comes back in seconds; a password that is wrong stays wrong until a person changes it. */
export const RETRIABLE: BackoffRange = { first: 500, max: 30_000 };
export const PERMANENT: BackoffRange = { first: 60_000, max: 600_000 };

export const rangeFor = (error: BridgeError): BackoffRange => (error.retriable ? RETRIABLE : PERMANENT);
