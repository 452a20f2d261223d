import type { LegEvent } from '../../src/call/vocabulary.js';
import { isBridgeError } from '../../src/errors.js';
import type { AgentPhones, OrderOutcome } from '../../src/pbx/adapter.js';
import {
  AgentStates,
  agentsWhoAre,
  CALLCENTER,
  ON_BREAK,
  type QueueAgent,
  readAgents,
  statusFor,
} from './callcenter.js';
import { isOk } from './commands.js';
import type { EslEvent } from './event.js';
import type { EslSession } from './session-contract.js';

const TIMEOUT_MS = 3_000;
const MAX_SAID = 200;
/** What may stand in a command; mod_callcenter cuts at blanks, mod_db at "/". */
const NAME = /^[\w.@+:-]{1,200}$/;
const KEY = /^[\w.+-]{1,79}$/;
const NO_MODULE = /^-ERR \S+ Command not found/;
/** Agents of whom it is remembered how they were before. */
const MOST_REMEMBERED = 5_000;

/** The setting `doNotDisturb`. */
export interface PauseSettings {
  /** Those of mod_callcenter count. */
  readonly queues: boolean;
  /** Realm of mod_db; undefined: no flag is kept. */
  readonly flag?: string | undefined;
}

/** Do not disturb: the status of mod_callcenter's agents, and a flag that the dialplan reads. */
export class Pauses {
  readonly #states = new AgentStates();
  /** What a status was before this bridge has made it `On Break`. */
  readonly #before = new Map<string, string>();
  #listing: Promise<unknown> | undefined;

  constructor(
    private readonly settings: PauseSettings,
    private readonly emit: (batch: readonly LegEvent[]) => void,
  ) {}

  get keepsFlag(): boolean {
    return this.settings.flag !== undefined;
  }

  /** The subclass of CUSTOM to be subscribed; undefined: none. */
  get subclass(): string | undefined {
    return this.settings.queues ? CALLCENTER : undefined;
  }

  /**
   * Asks for the status of all agents, and tells it. To be called after each connect.
   * @returns what is missing, in words for an admin
   * @throws the reason why the session ended.
   */
  async take(session: EslSession): Promise<string | undefined> {
    if (!this.settings.queues) return undefined;
    const listed = await list(session).catch(notAnswered);
    if (listed.kind === 'agents') this.emit(this.#states.take(listed.agents));
    // Without mod_callcenter there are no queues of it whose agents could be paused, or are any more.
    else if (listed.kind === 'none' && this.#states.size > 0) this.emit(this.#states.take([]));
    return listed.kind === 'refused' ? `who is paused in the queues is not known: ${listed.reason}` : undefined;
  }

  /** An event CUSTOM. What it means is emitted; the status of an agent who is new is asked for. */
  push(event: EslEvent, session: EslSession | undefined): void {
    if (event.get('Event-Subclass') !== CALLCENTER) return;
    const events = this.#states.push(event);
    if (events !== 'unknown') this.emit(events);
    else if (session !== undefined && this.#listing === undefined) {
      this.#listing = this.take(session)
        // The next connect, or the next event, asks again.
        .catch(() => undefined)
        .finally(() => {
          this.#listing = undefined;
        });
    }
  }

  /** Never rejects. */
  async pause(session: EslSession | undefined, agent: AgentPhones, paused: boolean): Promise<OrderOutcome> {
    if (session === undefined) return { kind: 'refused', reason: 'the PBX is not connected' };
    try {
      const { flag } = this.settings;
      const flagged = flag === undefined ? GONE : await setFlag(session, flag, agent.extension, paused).catch(refused);
      const inQueues = this.settings.queues ? await this.#inQueues(session, agent, paused) : GONE;
      // Of two, what did not work counts.
      return inQueues.kind === 'refused' || flagged.kind === 'gone' ? inQueues : flagged;
    } catch (thrown) {
      return refused(thrown);
    }
  }

  async #inQueues(session: EslSession, agent: AgentPhones, paused: boolean): Promise<OrderOutcome> {
    const listed = await list(session);
    if (listed.kind === 'refused') return listed;
    const agents = listed.kind === 'none' ? [] : agentsWhoAre(listed.agents, agent);
    if (agents.length === 0) return GONE;
    let outcome: OrderOutcome = { kind: 'done' };
    for (const { name, status } of agents) {
      const wanted = statusFor(paused, status, this.#before.get(name));
      if (wanted === undefined) continue;
      if (!NAME.test(name)) {
        const reason = `the name of the queue's agent, ${JSON.stringify(name)}, cannot be sent`;
        outcome = { kind: 'refused', reason };
        continue;
      }
      const reply = await session.api(`callcenter_config agent set status ${name} '${wanted}'`, TIMEOUT_MS);
      if (isOk(reply)) this.#remember(name, wanted === ON_BREAK ? status : undefined);
      else outcome = { kind: 'refused', reason: `FreeSWITCH said ${quoted(reply)}` };
    }
    return outcome;
  }

  #remember(name: string, status: string | undefined): void {
    if (status === undefined) this.#before.delete(name);
    else if (this.#before.size < MOST_REMEMBERED) this.#before.set(name, status);
  }
}

const GONE: OrderOutcome = { kind: 'gone' };
function refused(thrown: unknown): OrderOutcome {
  if (!isBridgeError(thrown)) throw thrown;
  return { kind: 'refused', reason: thrown.message };
}
const quoted = (text: string): string => JSON.stringify(text.trim().slice(0, MAX_SAID));

type Listed =
  | { readonly kind: 'agents'; readonly agents: readonly QueueAgent[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly reason: string };

async function list(session: EslSession): Promise<Listed> {
  const reply = await session.api('callcenter_config agent list', TIMEOUT_MS);
  const agents = readAgents(reply);
  if (agents !== undefined) return { kind: 'agents', agents };
  return NO_MODULE.test(reply)
    ? { kind: 'none' }
    : { kind: 'refused', reason: `FreeSWITCH answered "callcenter_config agent list" with ${quoted(reply)}` };
}

/** The connection stands, and can do without this. */
function notAnswered(thrown: unknown): Listed {
  if (!isBridgeError(thrown) || !['ZPB_ESL_TIMEOUT', 'ZPB_ESL_BUSY'].includes(thrown.code)) throw thrown;
  return { kind: 'refused', reason: thrown.message };
}

async function setFlag(session: EslSession, realm: string, extension: string, paused: boolean): Promise<OrderOutcome> {
  if (!KEY.test(extension))
    return { kind: 'refused', reason: `the extension ${quoted(extension)} cannot be a key of mod_db` };
  const reply = await session.api(
    paused ? `db insert/${realm}/${extension}/1` : `db delete/${realm}/${extension}`,
    TIMEOUT_MS,
  );
  return isOk(reply) ? { kind: 'done' } : { kind: 'refused', reason: `mod_db said ${quoted(reply)}` };
}
