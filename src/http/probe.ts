import { request } from 'node:https';

/** What a probe of the health server found. */
export interface ProbeResult {
  /** The server answered with a status of 200. */
  readonly healthy: boolean;
  /** One line for people; never a secret. */
  readonly words: string;
}

/** A reply is read up to here; a health page is far smaller. */
const MAX_BODY = 64 * 1024;

/**
 * Asks a health URL once. Never rejects: whatever goes wrong is an unhealthy bridge. For Docker's HEALTHCHECK and for
 * scripts, in images that have no curl.
 * @param timeout ms for the whole of it
 */
export async function probeHealth(url: string, timeout: number): Promise<ProbeResult> {
  try {
    const { status, body } = await (isOwnTls(url) ? askSelf(url, timeout) : ask(url, timeout));
    return { healthy: status === 200, words: inWords(status, body) };
  } catch (thrown) {
    return { healthy: false, words: `no answer: ${causeOf(thrown, timeout)}` };
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function ask(url: string, timeout: number): Promise<Answer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(timeout), redirect: 'error' });
  return { status: response.status, body: response.body === null ? '' : await readBounded(response.body) };
}

const isOwnTls = (url: string): boolean => /^https:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?:[:/]|$)/i.test(url);

/** This machine asks itself: its certificate names the address by which others know it, and nobody stands in between. */
function askSelf(url: string, timeout: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeout);
    const sent = request(url, { signal, rejectUnauthorized: false, agent: false }, (response) => {
      readBounded(response).then((body) => {
        resolve({ status: response.statusCode ?? 0, body });
      }, reject);
    });
    sent.on('error', (error) => {
      reject(signal.aborted ? (signal.reason as Error) : error);
    });
    sent.end();
  });
}

async function readBounded(stream: AsyncIterable<unknown>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of stream) {
    text += decoder.decode(chunk as Uint8Array, { stream: true });
    if (text.length > MAX_BODY) break;
  }
  return text;
}

/** fetch says "fetch failed" and hides the reason in `cause`. */
function causeOf(thrown: unknown, timeout: number): string {
  const { name, message, cause } = thrown as {
    name?: string;
    message?: string;
    cause?: { code?: string; message?: string };
  };
  if (name === 'TimeoutError') return `nothing came within ${timeout} ms`;
  return cause?.code ?? cause?.message ?? message ?? String(thrown);
}

function inWords(status: number, body: string): string {
  try {
    const page = JSON.parse(body) as { status?: unknown; because?: unknown; notes?: unknown };
    const lines = [page.because, page.notes].flatMap((list): unknown[] => (Array.isArray(list) ? list : []));
    if (typeof page.status === 'string') {
      return [page.status, ...lines.filter((line) => typeof line === 'string')].join('; ');
    }
  } catch {
    // Not JSON: something else listens there; the status has to do.
  }
  return `HTTP status ${status}`;
}
