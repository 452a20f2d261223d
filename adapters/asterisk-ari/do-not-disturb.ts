import type { Logger } from 'pino';
import type { LegEvent } from '../../src/call/vocabulary.js';
import type { Clock } from '../../src/clock.js';
import { asError } from '../../src/errors.js';
import type { AgentPhones, OrderOutcome } from '../../src/pbx/adapter.js';
import { DeviceStates, isDeviceName } from '../asterisk/device-states.js';
import type { AsteriskEvent } from '../asterisk/event.js';
import { each } from './ask.js';
import { askOnChannel, type ReadFunction } from './asking-channel.js';
import { outcomeOf } from './orders.js';
import type { AriRest } from './rest-contract.js';

export interface DoNotDisturbOptions {
  /** `Custom:DND{extension}`; undefined: this PBX keeps nothing. */
  readonly deviceState: string | undefined;
  readonly app: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly emit: (batch: readonly LegEvent[]) => void;
}

/** For all device states together: 3,000 of them take a second (measured). */
const LIST_MS = 5_000;
const ASK_MS = 2_000;
const AT_ONCE = 12;
/** How long a state that was set may take to be heard. */
const ECHO_MS = 1_000;
/** A PBX that did not say all is asked again with growing waits; what it refuses, for some minutes. */
const AGAIN_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000] as const;
const MOST_REFUSALS = 10;

const UNLOADED = 'load the module func_devstate.so';

/**
 * Who does not wish to be disturbed, as far as an Asterisk says it over ARI: by a custom device state of each agent. Heard, asked, and
 * set. Of queues ARI knows nothing.
 */
export class DoNotDisturb {
  readonly #states: DeviceStates | undefined;
  #rest: AriRest | undefined;
  #ended = new AbortController();
  #cancelAgain: () => void = () => undefined;
  /** Heard while it is asked: that is no older than the answers. */
  #heard: Set<string> | undefined;
  /** By device: what waits to hear of it. */
  readonly #echoes = new Map<string, Set<() => void>>();
  #asks = 0;
  #missing: string | undefined;

  constructor(private readonly options: DoNotDisturbOptions) {
    const { deviceState } = options;
    if (deviceState !== undefined) this.#states = new DeviceStates(deviceState);
  }

  /** What is missing, in words for the admin. */
  get missing(): string | undefined {
    return this.#missing;
  }

  /** Asks how things are, after a connect, and tells it. Never rejects. */
  async begin(rest: AriRest): Promise<void> {
    this.end();
    this.#rest = rest;
    this.#states?.tellAnew();
    await this.#ask();
  }

  end(): void {
    this.#cancelAgain();
    this.#ended.abort();
    this.#ended = new AbortController();
    this.#rest = undefined;
    this.#asks = 0;
    this.#missing = undefined;
    for (const device of [...this.#echoes.keys()]) this.#echo(device);
  }

  /** A `DeviceStateChange`. */
  push(message: AsteriskEvent): void {
    const device = message.get('Device') ?? '';
    this.#heard?.add(device);
    this.#take(device, message.get('State') ?? '');
    this.#echo(device);
  }

  async pause(agent: AgentPhones, paused: boolean): Promise<OrderOutcome> {
    const rest = this.#rest;
    const states = this.#states;
    if (rest === undefined) return { kind: 'refused', reason: 'the PBX is not connected' };
    if (states === undefined) return { kind: 'gone' };
    const device = states.deviceOf(agent.extension);
    if (!isDeviceName(device)) return { kind: 'refused', reason: 'the extension cannot be part of a device state' };
    try {
      const query = { variable: `DEVICE_STATE(${device})`, value: paused ? 'BUSY' : 'NOT_INUSE' };
      const reply = await rest.request({ method: 'POST', path: ['asterisk', 'variable'], query, timeout: ASK_MS });
      const outcome = outcomeOf(reply);
      if (outcome.kind === 'gone') return { kind: 'refused', reason: 'load the module res_ari_asterisk.so' };
      if (outcome.kind === 'refused' || states.saidOf(device) === paused) return outcome;
      // It is heard over another connection. Done is what was heard: or it would come later, and pass for somebody else's word.
      await this.#untilHeard(device);
      return states.saidOf(device) === paused ? outcome : await this.#check(rest, device, paused);
    } catch (thrown) {
      return { kind: 'refused', reason: asError(thrown).message };
    }
  }

  // ------------------------------------------------------------------ heard

  #take(device: string, state: string): void {
    const event = this.#rest === undefined ? undefined : this.#states?.take(device, state);
    if (event !== undefined) this.options.emit([event]);
  }

  #untilHeard(device: string): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#echoes.get(device) ?? new Set();
      this.#echoes.set(device, waiting);
      const done = (): void => {
        cancel();
        waiting.delete(done);
        if (waiting.size === 0 && this.#echoes.get(device) === waiting) this.#echoes.delete(device);
        resolve();
      };
      const cancel = this.options.clock.after(ECHO_MS, done);
      waiting.add(done);
    });
  }

  #echo(device: string): void {
    for (const done of [...(this.#echoes.get(device) ?? [])]) done();
  }

  // ------------------------------------------------------------------ asked

  /** Asterisk says of a function that it cannot write that all is well, so a state that was not heard is looked at. */
  async #check(rest: AriRest, device: string, paused: boolean): Promise<OrderOutcome> {
    const asked = await askOnChannel(this.#asking(rest, this.#ended.signal), (read) => read(`DEVICE_STATE(${device})`));
    if (asked.kind === 'refused') return { kind: 'refused', reason: asked.reason };
    this.#take(device, asked.answer ?? '');
    if (this.#states?.saidOf(device) === paused) return { kind: 'done' };
    const now = asked.answer ?? 'not known';
    return { kind: 'refused', reason: `Asterisk took the order, and the state of ${device} is ${now}: ${UNLOADED}` };
  }

  #asking(rest: AriRest, signal: AbortSignal): Parameters<typeof askOnChannel>[0] {
    return { rest, app: this.options.app, timeout: ASK_MS, signal };
  }

  async #ask(): Promise<void> {
    const rest = this.#rest;
    const states = this.#states;
    if (rest === undefined) return;
    if (states === undefined) {
      this.options.emit([{ type: 'availabilities', lines: [] }]);
      return;
    }
    const { signal } = this.#ended;
    const late = new AbortController();
    const cancel = this.options.clock.after(LIST_MS, () => {
      late.abort();
    });
    const heard = new Set<string>();
    this.#heard = heard;
    this.#asks += 1;
    try {
      const asking = this.#asking(rest, AbortSignal.any([signal, late.signal]));
      const asked = await askOnChannel(asking, (read) => readStates(read, states, heard));
      if (signal.aborted) return;
      const all = asked.kind === 'answered' ? asked.answer : wordsOf(asked);
      if (typeof all === 'string') {
        this.#missing = `the device states of doNotDisturb.deviceState are not known: ${all}`;
        if (this.#asks < MOST_REFUSALS) this.#askLater();
        return;
      }
      this.#missing = undefined;
      const events = [...all].flatMap(([device, state]) =>
        heard.has(device) ? [] : (states.take(device, state) ?? []),
      );
      this.options.emit([...events, { type: 'availabilities', lines: states.lines() }]);
    } catch (thrown) {
      if (signal.aborted) return;
      this.options.log.debug({ error: asError(thrown) }, 'who does not wish to be disturbed could not be asked for');
      const why = late.signal.aborted ? `not all were told within ${LIST_MS / 1_000} s` : asError(thrown).message;
      this.#missing = `the device states of doNotDisturb.deviceState are not known yet (${why}); the PBX is asked again`;
      this.#askLater();
    } finally {
      cancel();
      if (this.#heard === heard) this.#heard = undefined;
    }
  }

  #askLater(): void {
    const wait = AGAIN_MS[Math.min(this.#asks, AGAIN_MS.length) - 1] ?? 0;
    this.#cancelAgain = this.options.clock.after(wait, () => {
      void this.#ask();
    });
  }
}

/** The states by device; or what is to be done so that they can be read. */
async function readStates(
  read: ReadFunction,
  states: DeviceStates,
  heard: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string> | string> {
  const keys = await read('DB_KEYS(CustomDevstate)');
  if (keys === undefined) return 'load the module func_db.so';
  const said = new Map<string, string>();
  const unread = new Set<string>();
  await each(states.devicesOf(keys.split(',')), AT_ONCE, async (device) => {
    if (unread.size > 0 || heard.has(device)) return;
    const state = await read(`DEVICE_STATE(${device})`);
    if (state === undefined) unread.add(device);
    else said.set(device, state);
  });
  return unread.size > 0 ? UNLOADED : said;
}

const wordsOf = ({ status, reason }: { readonly status: number; readonly reason: string }): string =>
  status === 401 || status === 403
    ? 'set "read_only = no" in the login\'s section of ari.conf'
    : `Asterisk makes no channel to ask on (${reason})`;
