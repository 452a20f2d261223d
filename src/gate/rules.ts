import type { Cause, Millis } from '../call/vocabulary.js';

/** How the gate decides, from the configuration. */
export interface GateRules {
  /** A PBX that waits is answered within this, whatever Zammad does. */
  readonly budget: Millis;
  /** How long a number that Zammad has rejected is rejected also while Zammad does not answer; 0 = never. */
  readonly remember: Millis;
  /** The cause of the hangup after a reject. */
  readonly rejectedCause: Extract<Cause, 'busy' | 'forwarded'>;
  /** A reject of a call that does not wait, or no longer, still ends it if it is no older than this and nobody has answered it. */
  readonly lateReject: Millis;
  /** Says of a number as dialled that it is an emergency's. */
  readonly isEmergency: (dialled: string | undefined) => boolean;
}
