import type { LegEnd } from './causes.js';
import type { Cause } from './vocabulary.js';

/**
 * Whether a reject is the reason for a call's end may show only later. `unsure`: the PBX did not say in time whether it hangs
 * up, and may do so yet, or never; or the call was gone when it was to be hung up. `left to the PBX`: it was told so at its gate, and its dialplan is to do it.
 */
export type RejectDoubt = 'unsure' | 'left to the PBX';
export const REJECT_DOUBTS: readonly RejectDoubt[] = ['unsure', 'left to the PBX'];

/** The part of a call that a reject changes. */
export interface Rejectable {
  /** This bridge was asked to end it, for this reason. */
  rejected: Cause | undefined;
  /** Undefined: the PBX has ended it, or is about to. */
  rejectDoubt: RejectDoubt | undefined;
}

/** Q.850: what a call that does not wait at a gate is hung up with, whatever the reason told to Zammad. */
export const REJECT_CAUSE = 17;

export function reject(call: Rejectable, cause: Cause, doubt?: RejectDoubt): void {
  call.rejected = cause;
  call.rejectDoubt = doubt;
}

export function takeBackReject(call: Rejectable): void {
  call.rejected = undefined;
  call.rejectDoubt = undefined;
}

/** Somebody is called for it: then its dialplan has let it go on. */
export function isRoutedOn(call: Rejectable): void {
  if (call.rejectDoubt === 'left to the PBX') takeBackReject(call);
}

/** The reject that ended the call. Undefined: none, or it ended otherwise: the far side did it, or it has another cause than ordered. */
export function rejectThatEnded({ rejected, rejectDoubt }: Rejectable, end: LegEnd | undefined): Cause | undefined {
  if (rejectDoubt !== 'unsure' || end === undefined || end.lost === true) return rejected;
  const fits = end.by !== 'far' && (end.q850 === undefined || end.q850 === REJECT_CAUSE);
  return fits ? rejected : undefined;
}
