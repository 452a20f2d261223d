/**
 * Bytes to messages. Pure: fed with chunks as they come (cut anywhere, also inside a character), returns whole messages.
 * It knows the PBX's wire format and nothing about legs.
 */
import { PermanentError } from '../../src/errors.js';

/** What this PBX says. */
export type Message =
  /** A customer calls: call id, the customer's number, the number dialled. */
  | { readonly type: 'RING'; readonly call: string; readonly from: string; readonly to: string }
  /** The PBX begins to call an extension for this call. */
  | { readonly type: 'CALL'; readonly call: string; readonly extension: string }
  /** This extension took the call. */
  | { readonly type: 'ANSWER'; readonly call: string; readonly extension: string }
  /** The call is over; the Q.850 cause if there is one. */
  | { readonly type: 'HANGUP'; readonly call: string; readonly q850?: number | undefined }
  /** Between these two stands every call there is, told with the messages above. */
  | { readonly type: 'LIST' }
  | { readonly type: 'END' }
  /** Replies to LOGIN and PING. */
  | { readonly type: 'OK' }
  | { readonly type: 'NO'; readonly reason: string }
  | { readonly type: 'PONG' };

/** No line of this PBX comes near. Without a bound a mad peer could fill the memory. */
const MAX_LINE = 4096;

export class LineCodec {
  // Keeps the first bytes of a character that a chunk was cut in.
  readonly #decoder = new TextDecoder();
  #rest = '';

  /** The messages that this chunk completes. Throws PermanentError when the peer does not speak this protocol. */
  push(chunk: Uint8Array): Message[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > MAX_LINE || lines.some((line) => line.length > MAX_LINE)) {
      throw new PermanentError(
        'ZPB_TEMPLATE_PROTOCOL',
        `What listens there sent a line of more than ${MAX_LINE} characters: it is not this kind of PBX. Correct host and port.`,
      );
    }
    return lines.map((line) => parseLine(line.trimEnd())).filter((message) => message !== undefined);
  }
}

/** Undefined for what this version does not know: a newer PBX may say more, and that is no error. */
export function parseLine(line: string): Message | undefined {
  const [type, call = '', a = '', b = ''] = line.split(' ');
  switch (type) {
    case 'RING':
      return call && a && b ? { type, call, from: a, to: b } : undefined;
    case 'CALL':
    case 'ANSWER':
      return call && a ? { type, call, extension: a } : undefined;
    case 'HANGUP':
      return call ? { type, call, q850: /^\d{1,3}$/.test(a) ? Number(a) : undefined } : undefined;
    case 'LIST':
    case 'END':
    case 'OK':
    case 'PONG':
      return { type };
    case 'NO':
      return { type, reason: line.slice(3) };
    default:
      return undefined;
  }
}
