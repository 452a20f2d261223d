import type { IncomingMessage, ServerResponse } from 'node:http';
import { sleep, type Clock } from '../clock.js';
import { answerAgent, refusal, type AgentTokens } from './agent-endpoint.js';
import type { CallRow } from './call-row.js';
import type { Connections } from './connections.js';
import { faultReply, isProcessed } from './fault-reply.js';
import type { Faults } from './faults.js';
import { gone, readBody, send, sendHalf } from './http-io.js';
import type { Journal } from './journal.js';
import type { Lane } from './lane.js';
import { param, type ParamMap } from './parameters.js';
import type { Person } from './phone-book.js';
import { answerPush, type Zammad } from './push-endpoint.js';
import { badRequest, errorId, html, notFound, tooLarge, wantsJson, type Reply } from './reply.js';
import { readParameters, type ReadParameters } from './request-parameters.js';
import { shownPath, type Route } from './routes.js';

export interface CtiContext {
  readonly zammad: Zammad;
  readonly tokens: AgentTokens;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly connections: Connections;
  readonly lane: Lane;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly maxBody: number;
  rowChanged(row: CallRow): void;
  screenOpened(agent: Person, row: CallRow): void;
}

/** One request on its way. */
interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: Route;
  readonly path: string;
  readonly query: string;
  readonly seq: number;
  readonly reused: boolean;
  readonly asJson: boolean;
}

/** Serves Zammad's own paths: reads, meets faults, asks the rules, answers. */
export class CtiHandler {
  readonly #context: CtiContext;
  /** Posts being worked on, by callId. */
  readonly #underWay = new Map<string, number>();
  constructor(context: CtiContext) {
    this.#context = context;
  }

  /** Never rejects. */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    route: Route,
    path: string,
    query: string,
  ): Promise<void> {
    const { journal, connections } = this.#context;
    const { accept, 'content-type': contentType } = request.headers;
    const reused = connections.begin(request.socket);
    const event = route.kind === 'agent' ? (route.request.kind === 'log' ? 'log' : 'done') : undefined;
    const seq = journal.open({
      method: request.method ?? '',
      path: shownPath(path, route),
      contentType,
      accept,
      event,
    });
    const visit = { request, response, route, path, query, seq, reused, asJson: wantsJson(accept, route.format) };
    try {
      await this.#visit(visit);
    } finally {
      connections.end(request.socket);
    }
  }

  async #visit(visit: Visit): Promise<void> {
    const { faults, journal, maxBody } = this.#context;
    const early = faults.take('head', { reused: visit.reused });
    if (early !== undefined) {
      journal.note(visit.seq, { fault: early.kind });
      this.#cut(visit);
      return;
    }
    const body = await readBody(visit.request, maxBody);
    if (body === 'gone') {
      journal.close(visit.seq, 'client-gone', null, '');
      return;
    }
    if (body === 'too-large') {
      await this.#reply(visit, tooLarge);
      return;
    }
    const contentType = visit.request.headers['content-type'];
    const parameters = readParameters({ query: visit.query, contentType, body });
    const params = parameters.kind === 'read' ? parameters.params : {};
    const callId = textOf(params, 'callId') ?? textOf(params, 'call_id');
    const leave = this.#enter(visit, params, callId);
    try {
      await this.#meetFaults(visit, parameters, params, callId);
    } finally {
      leave();
    }
  }

  /** Writes down what the post is about, and whether another one of its call is being worked on. */
  #enter(visit: Visit, params: ParamMap, callId: string | undefined): () => void {
    const known = visit.route.kind === 'agent' ? {} : { event: textOf(params, 'event'), callId };
    const count = callId === undefined ? 0 : (this.#underWay.get(callId) ?? 0);
    this.#context.journal.note(visit.seq, { params, ...known, overlapped: count > 0 });
    if (callId === undefined || visit.route.kind !== 'push') return () => undefined;
    this.#underWay.set(callId, count + 1);
    return () => {
      const left = (this.#underWay.get(callId) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(callId);
      else this.#underWay.set(callId, left);
    };
  }

  async #meetFaults(
    visit: Visit,
    parameters: ReadParameters,
    params: ParamMap,
    callId: string | undefined,
  ): Promise<void> {
    const { faults, journal, clock, signal, lane } = this.#context;
    const event =
      visit.route.kind === 'agent' ? (visit.route.request.kind === 'log' ? 'log' : 'done') : textOf(params, 'event');
    const subject = { event, callId, direction: textOf(params, 'direction'), reused: visit.reused };
    const fault = visit.route.kind === 'none' ? undefined : faults.take('body', subject);
    if (fault !== undefined) journal.note(visit.seq, { fault: fault.kind });
    if (fault?.kind === 'slow') await sleep(clock, fault.ms, signal);
    let reply: Reply | undefined;
    if (isProcessed(fault)) {
      reply = lane.full
        ? html(503, '503 Service Temporarily Unavailable')
        : await this.#process(visit, parameters, params);
    }
    if (fault?.kind === 'late-reply') await sleep(clock, fault.ms, signal);
    reply = faultReply(fault, visit.request.headers.host ?? 'localhost', visit.path) ?? reply;
    if (fault?.kind === 'silent') {
      await gone(visit.response);
      journal.close(visit.seq, 'client-gone', null, '');
    } else if (reply === undefined || fault?.kind === 'reset-after-processing') {
      this.#cut(visit);
    } else if (fault?.kind === 'half-reply') {
      await sendHalf(visit.response, reply);
      journal.close(visit.seq, 'cut', reply.status, reply.body);
    } else {
      await this.#reply(visit, reply);
    }
  }

  /** undefined = the stand-in was stopped before its turn came. */
  #process(visit: Visit, parameters: ReadParameters, params: ParamMap): Promise<Reply | undefined> {
    const { zammad, journal, clock, lane } = this.#context;
    const { route, asJson } = visit;
    if (route.kind === 'none') return Promise.resolve(notFound(asJson));
    return lane.run(() => {
      if (route.kind === 'push') {
        const result = answerPush(zammad, { token: route.token, asJson, parameters }, clock.wall());
        journal.note(visit.seq, { processed: true, accepted: result.accepted === true });
        if (result.row !== undefined) this.#context.rowChanged(result.row);
        if (result.row !== undefined && result.screen !== undefined)
          this.#context.screenOpened(result.screen, result.row);
        return result.reply;
      }
      journal.note(visit.seq, { processed: true });
      if (parameters.kind === 'bad-request') return badRequest;
      if (parameters.kind === 'malformed') return errorId(500, asJson, zammad.random);
      const no = refusal(visit.request.headers.authorization, this.#context.tokens, asJson);
      if (no !== undefined) return no;
      const { reply, rows } = answerAgent(zammad, route.request, params, asJson, clock.wall());
      for (const row of rows) this.#context.rowChanged(row);
      return reply;
    });
  }

  async #reply(visit: Visit, reply: Reply): Promise<void> {
    const { random } = this.#context.zammad;
    const hex = (length: number): string =>
      Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join('');
    const extra: Record<string, string> = { 'x-request-id': hex(32) };
    // Zammad opens a session for every post that brings no cookie.
    if (visit.request.headers.cookie === undefined)
      extra['set-cookie'] = `_zammad_session_${hex(11)}=${hex(32)}; path=/; HttpOnly`;
    const sent = await send(visit.response, reply, extra);
    this.#context.journal.close(visit.seq, sent ? 'replied' : 'client-gone', reply.status, reply.body);
    // What is left of a body that was too large is not read.
    if (reply.status === 413) visit.request.destroy();
  }

  #cut(visit: Visit): void {
    visit.request.socket.resetAndDestroy();
    this.#context.journal.close(visit.seq, 'cut', null, '');
  }
}

function textOf(params: ParamMap, name: string): string | undefined {
  const value = param(params, name);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
