import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { asError, type BridgeError, isBridgeError } from '../../src/errors.js';
import { KeepAlive } from '../../src/pbx/keep-alive.js';
import { openSocket } from '../../src/pbx/open-socket.js';
import { eventIn, isEvent, type WantedEvents } from './codec.js';
import { encodeCommand, firstWord, isOk } from './commands.js';
import { type EslFrame, EslFramer } from './frames.js';
import { Jobs } from './jobs.js';
import { ReplyQueue } from './reply-queue.js';
import * as errors from './session-errors.js';
import {
  type EslSession,
  SESSION_TIMEOUTS,
  type SessionCounts,
  type SessionOptions,
  type SessionTimeouts,
} from './session-contract.js';

/** Bytes written and not yet taken by the network. */
const MAX_BACKLOG_BYTES = 1024 * 1024;
/** Commands without a reply. */
const MAX_PENDING = 1_000;
const MAX_NOTICE = 1024;
/** All that FreeSWITCH says before the login begins so. */
const HEADER = 'Content-';
const MOST_GREETING = 80;
const JOB_DONE = 'BACKGROUND_JOB';
/** Answered from memory, by every version, also when nothing else is going on. */
const ARE_YOU_THERE = 'api global_getvar core_uuid';

/**
 * Connects and logs in.
 * @throws PermanentError ZPB_ESL_AUTH, ZPB_ESL_ACL, ZPB_ESL_TLS, ZPB_ESL_PROTOCOL; RetriableError ZPB_ESL_CONNECT,
 * ZPB_ESL_LOGIN_TIMEOUT, ZPB_ESL_CLOSED, ZPB_ESL_STOPPED
 */
export async function openSession(options: SessionOptions): Promise<EslSession> {
  const timeouts = { ...SESSION_TIMEOUTS, ...options.timeouts };
  const { host, port, tls, clock, signal } = options;
  const socket = await openSocket({
    host,
    port,
    tls,
    clock,
    signal,
    timeout: timeouts.connect,
    failed: (cause) => errors.connectError(options, tls !== undefined, cause),
    stopped: errors.stoppedError,
  });
  const session = new LiveSession(options, timeouts, socket);
  await session.logIn();
  return session;
}

class LiveSession implements EslSession {
  readonly closed: Promise<BridgeError>;
  readonly #socketClosed: Promise<void>;
  readonly #framer = new EslFramer();
  readonly #replies: ReplyQueue;
  readonly #jobs: Jobs;
  readonly #wanted: WantedEvents;
  #keepAlive: KeepAlive | undefined;
  /** FreeSWITCH has asked for the password; before that it owes nothing. */
  #asked: (() => void) | undefined;
  #greeted = false;
  /** Its first bytes. */
  #greeting = '';
  #loggedIn = false;
  #bytes = 0;
  #frames = 0;
  #unreadable = 0;
  #handlerErrors = 0;
  #ended: BridgeError | undefined;
  #settleClosed: (reason: BridgeError) => void = () => undefined;
  #socketError: Error | undefined;

  constructor(
    private readonly options: SessionOptions,
    private readonly timeouts: SessionTimeouts,
    private readonly socket: Socket,
  ) {
    this.#wanted = options.wanted === 'all' ? 'all' : new Set([...options.wanted, JOB_DONE]);
    this.#replies = new ReplyQueue(options.clock);
    this.#jobs = new Jobs(options.clock);
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    options.signal.addEventListener('abort', this.#onAbort, { once: true });
    socket.on('error', (error) => {
      this.#socketError = error;
    });
    this.#socketClosed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#end(errors.closedError(options, { cause: this.#socketError }));
        resolve();
      });
      if (socket.closed) resolve();
    });
    socket.on('data', this.#onData);
    if (options.signal.aborted) this.#end(errors.stoppedError());
    else if (socket.destroyed) this.#end(errors.closedError(options));
  }

  get counts(): SessionCounts {
    return {
      bytes: this.#bytes,
      frames: this.#frames,
      unreadable: this.#unreadable,
      handlerErrors: this.#handlerErrors,
    };
  }

  async logIn(): Promise<void> {
    const { clock, password } = this.options;
    const { login, askEvery, askTimeout } = this.timeouts;
    const asked = new Promise<void>((resolve) => {
      this.#asked = resolve;
      if (this.#greeted) resolve();
    });
    const cancel = clock.after(login, () => {
      this.#end(errors.loginTimeoutError(this.options, login, this.#greeted));
    });
    try {
      await Promise.race([asked, this.closed]);
      // The login as a whole has one deadline; the session's end rejects what is still asked.
      await this.send(`auth ${password.reveal()}`, login + 1);
    } catch (thrown) {
      this.#end(isBridgeError(thrown) ? thrown : errors.closedError(this.options, { cause: asError(thrown) }));
    } finally {
      cancel();
    }
    if (this.#ended !== undefined) throw this.#ended;
    this.#keepAlive = new KeepAlive({
      clock,
      every: askEvery,
      timeout: askTimeout,
      ping: () => {
        // Its reply counts as bytes; that it fails is seen by their absence.
        this.#ask(ARE_YOU_THERE, askTimeout, {}, true).catch(() => undefined);
      },
      onSilent: () => {
        this.#end(errors.silentError(this.options, askTimeout));
      },
    });
  }

  send(command: string, timeout = this.timeouts.command): Promise<string> {
    return this.#ask(command, timeout);
  }

  api(command: string, timeout = this.timeouts.command): Promise<string> {
    return this.#ask(`api ${command}`, timeout);
  }

  async bgapi(command: string, timeout = this.timeouts.command): Promise<string> {
    if (!this.#jobs.subscribed) {
      const reply = await this.send(`event json ${JOB_DONE}`, timeout);
      if (!isOk(reply)) throw errors.refusedError(this.options, 'event', reply);
      this.#jobs.subscribed = true;
    }
    const job = randomUUID();
    // Its end may be told before the reply that it has begun.
    const done = this.#jobs.wait(job, timeout, () => errors.timeoutError(this.options, firstWord(command), timeout));
    try {
      const reply = await this.#ask(`bgapi ${command}`, timeout, { 'Job-UUID': job });
      if (!isOk(reply)) throw errors.refusedError(this.options, firstWord(command), reply);
    } catch (thrown) {
      this.#jobs.forget(job);
      throw thrown;
    }
    return done;
  }

  close(): Promise<void> {
    this.#end(errors.stoppedError());
    return this.#socketClosed;
  }

  /** @param first it is sent however many others wait. */
  async #ask(
    command: string,
    timeout: number,
    headers: Readonly<Record<string, string>> = {},
    first = false,
  ): Promise<string> {
    if (this.#ended !== undefined) throw this.#ended;
    const bytes = encodeCommand(command, headers);
    const { size } = this.#replies;
    const backlog = this.socket.writableLength;
    if ((size >= MAX_PENDING && !first) || backlog + bytes.length > MAX_BACKLOG_BYTES)
      throw errors.busyError(this.options, size, backlog);
    const reply = this.#replies.next(timeout, () => errors.timeoutError(this.options, firstWord(command), timeout));
    this.socket.write(bytes);
    return reply;
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#ended !== undefined) return;
    this.#bytes += chunk.length;
    this.#keepAlive?.heard();
    const { onBytes } = this.options;
    if (onBytes !== undefined) {
      this.#guarded('bytes', () => {
        onBytes(chunk);
      });
    }
    if (!this.#greeted && !this.#mayGreet(chunk)) return;
    let frames: readonly EslFrame[];
    try {
      frames = this.#framer.push(chunk);
    } catch (thrown) {
      this.#end(
        !this.#greeted
          ? errors.notEslError(this.options)
          : isBridgeError(thrown)
            ? thrown
            : errors.closedError(this.options, { cause: asError(thrown) }),
      );
      return;
    }
    for (const frame of frames) this.#take(frame);
  };

  /** What is no event socket is known by its first bytes: it may never send an empty line. */
  #mayGreet(chunk: Buffer): boolean {
    if (this.#greeting.length < MOST_GREETING) this.#greeting += chunk.toString('latin1', 0, MOST_GREETING);
    const greeting = this.#greeting.trimStart();
    if (HEADER.startsWith(greeting.slice(0, HEADER.length))) return true;
    this.#end(errors.notEslError(this.options, greeting));
    return false;
  }

  #take(frame: EslFrame): void {
    // A handler may have closed the session in the middle of a chunk.
    if (this.#ended !== undefined) return;
    this.#frames += 1;
    if (isEvent(frame)) {
      // Before the password is accepted nobody has a right to tell us anything.
      if (this.#loggedIn) this.#takeEvent(frame);
      return;
    }
    switch (frame.type) {
      case 'auth/request':
        this.#greeted = true;
        this.#asked?.();
        return;
      case 'command/reply':
        this.#takeReply(frame.headers.get('reply-text') ?? '');
        return;
      case 'api/response':
        this.#replies.deliver(frame.body.toString('utf8'));
        return;
      case 'text/rude-rejection':
        this.#end(errors.aclError(this.options, frame.body.toString('utf8', 0, MAX_NOTICE)));
        return;
      case 'text/disconnect-notice':
        // With "linger" it is announced, and events go on until the second notice.
        if (frame.headers.get('content-disposition') === 'linger') return;
        this.#end(errors.closedError(this.options, { notice: frame.body.toString('utf8', 0, MAX_NOTICE) }));
        return;
      default:
        if (!this.#greeted) this.#end(errors.notEslError(this.options));
    }
  }

  #takeReply(reply: string): void {
    if (!this.#loggedIn) {
      this.#loggedIn = isOk(reply);
      // Told at once: a refusal is followed by a notice and the end, perhaps in the same packet.
      if (!this.#loggedIn) this.#end(errors.authError(this.options, reply));
    }
    this.#replies.deliver(reply);
  }

  #takeEvent(frame: EslFrame): void {
    const event = eventIn(frame, this.#wanted, () => {
      this.#unreadable += 1;
    });
    if (event === undefined) return;
    if (event.name === JOB_DONE && this.#jobs.finish(event)) return;
    // Heard for the jobs alone.
    if (this.options.wanted !== 'all' && !this.options.wanted.has(event.name)) return;
    this.#guarded(event.name, () => {
      this.options.onEvent(event);
    });
  }

  /** A fault in what an event means must not cost the connection, on which all other calls depend. */
  #guarded(what: string, handler: () => void): void {
    try {
      handler();
    } catch (thrown) {
      this.#handlerErrors += 1;
      this.options.log.error(
        { error: asError(thrown), event: what },
        'an event of FreeSWITCH could not be handled; it is skipped',
      );
    }
  }

  readonly #onAbort = (): void => {
    this.#end(errors.stoppedError());
  };

  #end(reason: BridgeError): void {
    if (this.#ended !== undefined) return;
    this.#ended = reason;
    this.options.signal.removeEventListener('abort', this.#onAbort);
    this.#keepAlive?.stop();
    this.socket.removeListener('data', this.#onData);
    this.socket.destroy();
    this.#replies.failAll(reason);
    this.#jobs.failAll(reason);
    this.#settleClosed(reason);
  }
}
