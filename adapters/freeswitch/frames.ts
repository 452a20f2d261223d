import { RetriableError } from '../../src/errors.js';

/** What FreeSWITCH wrote in one piece: a block of headers, and a body if they announce one. */
export interface EslFrame {
  /** `Content-Type`; '' when there is none. */
  readonly type: string;
  /** The other headers, names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** A call at the gate is one block of headers, all its variables in it (SDPs of a browser, several times); what goes on for longer is no event socket. */
const MAX_HEADERS = 256 * 1024;
/** A list of many thousand channels is some megabytes. */
const MAX_BODY = 16 * 1024 * 1024;
const NO_BODY = Buffer.alloc(0);
const LF = 0x0a;

const tooLong = (what: string): RetriableError =>
  new RetriableError(
    'ZPB_ESL_TOO_LONG',
    `The event socket sent ${what}: this is no message of FreeSWITCH. Check host and port.`,
  );

/**
 * Bytes to frames, wherever the network has cut them. A frame is lines up to an empty one, and, only if there is a
 * `Content-Length`, so many bytes that follow at once; nothing stands between two frames (facts: replies run together as
 * `oneContent-Type: api/response`). Lengths are bytes, not characters, so everything here is Buffers.
 */
export class EslFramer {
  #parts: Buffer[] = [];
  #length = 0;
  /** With fewer bytes than this there is no point in looking again. */
  #wanted = 1;
  /** A frame whose headers were read and whose body is still on its way. */
  #head: Omit<EslFrame, 'body'> | undefined;
  #bodyLength = 0;

  /** The frames that this chunk completes. @throws RetriableError ZPB_ESL_TOO_LONG */
  push(chunk: Uint8Array): EslFrame[] {
    this.#parts.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    this.#length += chunk.byteLength;
    if (this.#length < this.#wanted) return [];
    const bytes = this.#parts.length === 1 ? (this.#parts[0] ?? NO_BODY) : Buffer.concat(this.#parts);
    const frames: EslFrame[] = [];
    let at = 0;
    for (;;) {
      if (this.#head === undefined) {
        const begin = at;
        while (bytes[at] === LF) at += 1;
        const end = bytes.indexOf('\n\n', at, 'latin1');
        if ((end < 0 ? bytes.length : end) - at > MAX_HEADERS)
          throw tooLong(`more than ${MAX_HEADERS} bytes of headers`);
        if (end < 0) {
          // Empty lines alone would never be an end.
          at = Math.max(begin, at);
          this.#wanted = bytes.length - at + 1;
          break;
        }
        this.#readHead(bytes.toString('utf8', at, end));
        at = end + 2;
      }
      if (bytes.length - at < this.#bodyLength) {
        this.#wanted = this.#bodyLength;
        break;
      }
      const { type, headers } = this.#head ?? { type: '', headers: new Map<string, string>() };
      const body = this.#bodyLength === 0 ? NO_BODY : bytes.subarray(at, at + this.#bodyLength);
      frames.push({ type, headers, body });
      at += this.#bodyLength;
      this.#head = undefined;
      this.#bodyLength = 0;
    }
    // A copy, so that one byte left over does not keep a whole chunk alive.
    this.#parts = at < bytes.length ? [at === 0 ? bytes : Buffer.from(bytes.subarray(at))] : [];
    this.#length = bytes.length - at;
    return frames;
  }

  #readHead(text: string): void {
    const headers = new Map<string, string>();
    for (const line of text.split('\n')) {
      const colon = line.indexOf(':');
      if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
    }
    const length = headers.get('content-length');
    if (length !== undefined && (!/^\d{1,9}$/.test(length) || Number(length) > MAX_BODY))
      throw tooLong(`a body of ${JSON.stringify(length.slice(0, 20))} bytes`);
    this.#bodyLength = Number(length ?? 0);
    this.#head = { type: headers.get('content-type') ?? '', headers };
  }
}
