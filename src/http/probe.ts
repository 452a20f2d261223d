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
    const response = await fetch(url, { signal: AbortSignal.timeout(timeout), redirect: 'error' });
    return { healthy: response.status === 200, words: inWords(response.status, await readBounded(response)) };
  } catch (thrown) {
    return { healthy: false, words: `no answer: ${causeOf(thrown, timeout)}` };
  }
}

async function readBounded(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of response.body ?? []) {
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
