/** SIP messages as text (RFC 3261), as far as a lab on loopback needs them. */

interface Headers {
  /** Lower-case name → values in order. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
}
export interface SipRequest extends Headers {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
}
export interface SipResponse extends Headers {
  readonly kind: 'response';
  readonly status: number;
}
export type SipMessage = SipRequest | SipResponse;

/** First value of a header. */
export const headerOf = (message: Headers, name: string): string | undefined =>
  message.headers.get(name.toLowerCase())?.[0];

/** First value of a header that every message must have; throws when it is missing. */
export function requiredHeader(message: Headers, name: string): string {
  const value = headerOf(message, name);
  if (value === undefined) throw new Error(`a SIP message without ${name}`);
  return value;
}

export function parseSipMessage(text: string): SipMessage {
  const cut = text.indexOf('\r\n\r\n');
  const [start = '', ...lines] = (cut < 0 ? text : text.slice(0, cut)).split('\r\n');
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    const values = headers.get(name) ?? [];
    values.push(line.slice(colon + 1).trim());
    headers.set(name, values);
  }
  const body = cut < 0 ? '' : text.slice(cut + 4);
  const status = /^SIP\/2\.0 (\d{3})/.exec(start)?.[1];
  if (status !== undefined) return { kind: 'response', status: Number(status), headers, body };
  const [method = '', uri = ''] = start.split(' ');
  return { kind: 'request', method, uri, headers, body };
}

const REASONS: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  183: 'Session Progress',
  200: 'OK',
  302: 'Moved Temporarily',
  404: 'Not Found',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  486: 'Busy Here',
  487: 'Request Terminated',
  603: 'Decline',
};

/** Assembles a message; adds Content-Length, and Content-Type for a body. */
export function formatSipMessage(
  startLine: string,
  headers: readonly string[],
  body = '',
  contentType = 'application/sdp',
): string {
  const entity = body === '' ? [] : [`Content-Type: ${contentType}`];
  return [startLine, ...headers, ...entity, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n');
}

export const statusLine = (status: number): string => `SIP/2.0 ${status} ${REASONS[status] ?? 'Other'}`;

/** The tag parameter of a From or To header. */
export const tagOf = (header: string | undefined): string | undefined => /;tag=([^;>\s]+)/.exec(header ?? '')?.[1];
/** The user part of a SIP URI or of a header that holds one. */
export const userOf = (uri: string | undefined): string | undefined => /sips?:([^@;>]*)@/.exec(uri ?? '')?.[1];
/** The URI within `Name <uri>;parameters`. */
export const uriOf = (header: string): string => /<([^>]+)>/.exec(header)?.[1] ?? header.split(';')[0] ?? header;

/** An SDP that offers or accepts G.711 µ-law at one address and port. */
export const sdpOf = (address: string, port: number, version: number, mode: 'sendrecv' | 'sendonly'): string =>
  [
    'v=0',
    `o=- 1 ${version} IN IP4 ${address}`,
    's=lab',
    `c=IN IP4 ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    `a=${mode}`,
    '',
  ].join('\r\n');

/** Where an SDP wants its audio: undefined without an audio line. */
export function mediaTarget(sdp: string): { readonly address: string; readonly port: number } | undefined {
  const port = /^m=audio (\d+)/m.exec(sdp)?.[1];
  const address = /^c=IN IP4 (\S+)/m.exec(sdp)?.[1];
  return port === undefined || address === undefined || port === '0' ? undefined : { address, port: Number(port) };
}
