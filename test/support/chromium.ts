/** A real browser, driven over its DevTools protocol. Only what tests of our pages need. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { waitFor, within } from './wait-for.js';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Where it is; undefined: this machine has none. */
export const chromiumPath = (): string | undefined =>
  [process.env['CHROMIUM'], ...PATHS].find((path) => path !== undefined && existsSync(path));

type Params = Readonly<Record<string, unknown>>;

export interface Page {
  goto(url: string): Promise<void>;
  /** The value of an expression in the page, which must be plain data. */
  evaluate<T>(expression: string): Promise<T>;
  /** Waits until the expression is true. */
  until(expression: string): Promise<void>;
  /** Types into what has the focus. */
  type(text: string): Promise<void>;
  press(key: 'Enter' | 'Escape' | 'Tab'): Promise<void>;
  /** PNG. */
  screenshot(): Promise<Buffer>;
  /** Addresses that were asked for, what stands behind `#` included: that is not sent. */
  readonly requests: readonly string[];
  /** What the page wrote to the console, and what the browser refused. */
  readonly complaints: readonly string[];
}

export interface PageOptions {
  readonly language?: string;
  readonly dark?: boolean;
  /** Says yes when a page wants to open links of a kind (registerProtocolHandler). */
  readonly acceptsHandlers?: boolean;
}

export interface Browser {
  page(options?: PageOptions): Promise<Page>;
  close(): Promise<void>;
}

const KEYS = { Enter: [13, '\r'], Escape: [27, ''], Tab: [9, ''] } as const;

export async function startChromium(path: string): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'zpb-chromium-'));
  const child = spawn(
    path,
    [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--no-first-run',
      '--disable-extensions',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const gone = once(child, 'exit');
  const address = new Promise<string>((resolve) => {
    createInterface(child.stderr).on('line', (line) => {
      const [, found] = /^DevTools listening on (ws:\S+)/.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
  });
  const remove = (): void => {
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const socket = new WebSocket(await within(30_000, 'chromium to start', address));
    await within(10_000, 'chromium to answer', once(socket, 'open'));
    const link = new Link(socket);
    return {
      page: (options = {}) => openPage(link, options),
      async close() {
        await link.send('Browser.close').catch(() => undefined);
        await within(5_000, 'chromium to end', gone).catch(() => child.kill('SIGKILL'));
        socket.terminate();
        remove();
      },
    };
  } catch (thrown) {
    child.kill('SIGKILL');
    await gone;
    remove();
    throw thrown;
  }
}

/** One connection for all pages: each has a session of its own on it. */
class Link {
  #last = 0;
  readonly #waiting = new Map<number, { resolve: (result: Params) => void; reject: (error: Error) => void }>();
  readonly #listeners: ((session: string, method: string, params: Params) => void)[] = [];

  constructor(private readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as {
        id?: number;
        result?: Params;
        error?: { message: string };
        sessionId?: string;
        method?: string;
        params?: Params;
      };
      if (message.id === undefined) {
        for (const listener of this.#listeners)
          listener(message.sessionId ?? '', message.method ?? '', message.params ?? {});
        return;
      }
      const waiter = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.error === undefined) waiter?.resolve(message.result ?? {});
      else waiter?.reject(new Error(message.error.message));
    });
    socket.on('close', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('chromium is gone'));
    });
  }

  send(method: string, params: Params = {}, sessionId?: string): Promise<Params> {
    const id = (this.#last += 1);
    const answer = new Promise<Params>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.socket.send(JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) }));
    return within(15_000, `chromium to do ${method}`, answer);
  }

  listen(listener: (session: string, method: string, params: Params) => void): void {
    this.#listeners.push(listener);
  }
}

async function openPage(
  link: Link,
  { language = 'en', dark = false, acceptsHandlers = false }: PageOptions,
): Promise<Page> {
  // A context of its own: no cookie of another page is in it.
  // (In such a one nobody can be told to open links of a kind.)
  const { browserContextId } = acceptsHandlers ? {} : await link.send('Target.createBrowserContext');
  const { targetId } = await link.send('Target.createTarget', { url: 'about:blank', browserContextId });
  const { sessionId } = await link.send('Target.attachToTarget', { targetId, flatten: true });
  const session = String(sessionId);
  const send = (method: string, params: Params = {}): Promise<Params> => link.send(method, params, session);
  const complaints: string[] = [];
  const requests: string[] = [];
  link.listen((of, method, params) => {
    if (of !== session) return;
    if (method === 'Network.requestWillBeSent') requests.push(urlOf(params));
    if (method === 'Log.entryAdded') complaints.push((params['entry'] as { text: string }).text);
    if (method === 'Runtime.exceptionThrown') complaints.push(JSON.stringify(params['exceptionDetails']));
    if (method === 'Runtime.consoleAPICalled') complaints.push(JSON.stringify(params['args']));
  });
  await Promise.all(['Page.enable', 'Runtime.enable', 'Log.enable', 'Network.enable'].map((method) => send(method)));
  if (acceptsHandlers) await send('Page.setRPHRegistrationMode', { mode: 'autoAccept' });
  await send('Emulation.setUserAgentOverride', { userAgent: 'test', acceptLanguage: language });
  await send('Emulation.setEmulatedMedia', {
    features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }],
  });
  await send('Emulation.setDeviceMetricsOverride', { width: 640, height: 560, deviceScaleFactor: 1, mobile: false });

  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await send('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    if (exceptionDetails !== undefined) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return (result as { value: T }).value;
  };
  return {
    complaints,
    requests,
    evaluate,
    goto: async (url) => {
      await send('Page.navigate', { url });
      await waitFor('the page to load', () =>
        evaluate<boolean>(`document.readyState === 'complete' && location.href !== 'about:blank'`),
      );
    },
    until: async (expression) => {
      await waitFor(`in the page: ${expression}`, () => evaluate<boolean>(`Boolean(${expression})`));
    },
    type: async (text) => {
      await send('Input.insertText', { text });
    },
    press: async (key) => {
      const [code, text] = KEYS[key];
      const event = { key, code: key, windowsVirtualKeyCode: code };
      await send('Input.dispatchKeyEvent', { ...event, type: 'keyDown', ...(text !== '' && { text }) });
      await send('Input.dispatchKeyEvent', { ...event, type: 'keyUp' });
    },
    screenshot: async () => {
      const { data } = await send('Page.captureScreenshot', { format: 'png' });
      return Buffer.from(String(data), 'base64');
    },
  };
}

/** Of a request that is sent; its fragment comes apart. */
const urlOf = ({ request }: Params): string => {
  const { url, urlFragment = '' } = request as { readonly url: string; readonly urlFragment?: string };
  return `${url}${urlFragment}`;
};
