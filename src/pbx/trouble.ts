/** What is wrong with a PBX, and what a person does about it: an error's message, and what a look at the PBX finds, in the same words. */
import { type BridgeError, PermanentError, RetriableError } from '../errors.js';

export interface Trouble {
  readonly reason: string;
  readonly mend: string;
}

const message = ({ reason, mend }: Trouble): string => `${reason}. ${mend}`;

export const permanent = (code: string, trouble: Trouble, cause?: Error): BridgeError =>
  Object.assign(new PermanentError(code, message(trouble), { cause }), { trouble });
export const retriable = (code: string, trouble: Trouble, cause?: Error): BridgeError =>
  Object.assign(new RetriableError(code, message(trouble), { cause }), { trouble });

/** Of an error made here; of another one its message, and `look`, where a person finds more. */
export const troubleOf = (error: BridgeError, look: string): Trouble =>
  (error as { readonly trouble?: Trouble }).trouble ?? { reason: error.message.replace(/\.$/, ''), mend: look };
