import type { FaultRule } from './fault-rules.js';
import { html, json, type Reply } from './reply.js';

/** Is the post carried out before this fault shows? */
export function isProcessed(fault: FaultRule | undefined): boolean {
  switch (fault?.kind) {
    case 'status':
    case 'garbage':
    case 'silent':
      return fault.processed;
    case 'reset-before-processing':
    case 'reset-before-body':
    case 'accept-and-close':
      return false;
    default:
      return true;
  }
}

/** What a status fault says, in the voice of whoever says it in the field. `path`: of the request, for a redirect. */
function statusReply(status: number, host: string, path: string): Reply {
  switch (status) {
    case 301:
    case 302:
    case 307:
    case 308:
      return { ...html(status, `${status} Moved`), headers: { location: `https://${host}${path}` } };
    case 401:
      return json(401, { error: 'Invalid token, please contact your admin!' });
    case 422:
      return json(422, { error: 'Feature is disabled, please contact your administrator!' });
    case 502:
      return html(502, '502 Bad Gateway');
    case 503:
      return html(503, '503 Service Temporarily Unavailable');
    case 504:
      return html(504, '504 Gateway Time-out');
    default:
      return json(status, { error: 'Error ID STANDIN0: Please contact your administrator.' });
  }
}

/** The reply a fault puts in the place of the true one; undefined = the true one. */
export function faultReply(fault: FaultRule | undefined, host: string, path: string): Reply | undefined {
  switch (fault?.kind) {
    case 'status':
      return statusReply(fault.status, host, path);
    case 'garbage':
      return html(200, 'Please sign in to the guest network');
    case 'huge-reply': {
      const frame = JSON.stringify({ pad: '' }).length;
      return json(200, { pad: 'x'.repeat(Math.max(0, fault.bytes - frame)) });
    }
    default:
      return undefined;
  }
}
