import type { Logger } from 'pino';
import { backoff } from './backoff.js';
import type { PbxName } from './call/vocabulary.js';
import type { PbxConfig } from './config/model.js';
import { sleep, type Clock } from './clock.js';
import { asError, isBridgeError, PermanentError } from './errors.js';
import type { Heritage, Lead, LedElsewhere, Store } from './store/store.js';

/** What runs while this bridge leads a PBX. */
export interface Led {
  /** Another bridge leads now: ends at once, and writes nothing more. Never rejects. */
  lose(): Promise<void>;
}

export interface LeadsOptions {
  readonly store: Store;
  readonly pbxs: readonly PbxConfig[];
  readonly clock: Clock;
  /** 0 up to 1. */
  readonly random: () => number;
  readonly log: Logger;
  /** Begins to speak for a PBX. */
  readonly onLead: (pbx: PbxConfig, lead: Lead, heritage: Heritage) => Led;
  /** After another bridge has taken it, and everything of it is ended. */
  readonly onLost: (pbx: PbxConfig) => void;
}

/** Where one PBX stands. */
export type LeadState =
  | { readonly state: 'waiting'; readonly reason?: string | undefined }
  | { readonly state: 'standby'; readonly by: LedElsewhere }
  | { readonly state: 'leading' };

/** A standby looks so often whether it is its turn. */
const TRY_EVERY_MS = 500;
const STORE_BACKOFF = { first: 250, max: 5_000 };
/** A file's lease of a bridge that has died on another host runs out within this. */
const FILE_PATIENCE_MS = 10_000;

/** Takes the lead of each PBX whenever it is free, and gives it up when another bridge has taken it. */
export class Leads {
  readonly #states = new Map<PbxName, LeadState>();
  readonly #led = new Map<PbxName, Lead>();
  readonly #stopping = new AbortController();
  #running: readonly Promise<void>[] = [];

  constructor(private readonly options: LeadsOptions) {
    for (const { name } of options.pbxs) this.#states.set(name, { state: 'waiting' });
  }

  /** Resolves soon, but for a file that another process uses: there it rejects with ZPB_STORE_IN_USE after some seconds. */
  async start(): Promise<void> {
    const { store, pbxs } = this.options;
    const [first] = pbxs;
    const firstLead = store.kind === 'sqlite' && first !== undefined ? await this.#onlyUser(first.name) : undefined;
    this.#running = pbxs.map((pbx) => this.#run(pbx, pbx === first ? firstLead : undefined));
  }

  state(pbx: PbxName): LeadState {
    return this.#states.get(pbx) ?? { state: 'waiting' };
  }

  /** Another bridge waits for one of the leads of this one. */
  get wanted(): boolean {
    return [...this.#led.values()].some((lead) => lead.wanted);
  }

  /** Takes no lead more, and watches over none; those it has stay, until they are released. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  async release(): Promise<void> {
    await Promise.all([...this.#led.values()].map((lead) => lead.release()));
    this.#led.clear();
  }

  async #onlyUser(pbx: PbxName): Promise<Lead | undefined> {
    const { store, clock, log } = this.options;
    const { signal } = this.#stopping;
    const began = clock.monotonic();
    let said = false;
    while (!signal.aborted) {
      const lead = await store.lead(pbx).catch((thrown: unknown) => {
        // A disk that is full, or a file that is locked, is no reason to end: it is asked for again and again.
        if (isBridgeError(thrown) && thrown.retriable) return undefined;
        throw asError(thrown);
      });
      if (lead === undefined) return undefined;
      if (!('holder' in lead)) return lead;
      if (clock.monotonic() - began > FILE_PATIENCE_MS) {
        throw new PermanentError(
          'ZPB_STORE_IN_USE',
          `the store file is in use by another bridge (${lead.holder}): end that one, or give this one a file of its own with store.path`,
        );
      }
      if (!said) log.warn({ holder: lead.holder }, 'the store file is in use by another bridge; waiting for its end');
      said = true;
      await sleep(clock, TRY_EVERY_MS, signal);
    }
    return undefined;
  }

  async #run(pbx: PbxConfig, early: Lead | undefined): Promise<void> {
    const { name } = pbx;
    let lead = early ?? (await this.#take(name));
    while (lead !== undefined) {
      this.#led.set(name, lead);
      await this.#lead(pbx, lead);
      // Those that are led still are given up by `release`, when all is written.
      if (this.#stopping.signal.aborted) return;
      this.#led.delete(name);
      lead = await this.#take(name);
    }
  }

  /** Resolves when the lead is lost, or the bridge stops. */
  async #lead(pbx: PbxConfig, lead: Lead): Promise<void> {
    const { onLead, onLost, log } = this.options;
    const { name } = pbx;
    const heritage = await this.#load(lead);
    if (heritage === undefined) return;
    this.#states.set(name, { state: 'leading' });
    const led = onLead(pbx, lead, heritage);
    await aborted([lead.ended, this.#stopping.signal]);
    if (!lead.ended.aborted) return;
    this.#states.set(name, { state: 'waiting', reason: 'another bridge has taken the lead' });
    log.warn({ pbx: name }, `another bridge has taken the lead of PBX ${name}; this one stands by`);
    await led.lose();
    onLost(pbx);
  }

  /** Undefined when the bridge stops first. */
  async #take(pbx: PbxName): Promise<Lead | undefined> {
    const { store, clock, random, log } = this.options;
    const { signal } = this.#stopping;
    let failures = 0;
    let said: string | undefined;
    while (!signal.aborted) {
      try {
        const lead = await store.lead(pbx);
        failures = 0;
        if (!('holder' in lead)) {
          log.info({ pbx, epoch: lead.epoch }, `this bridge leads PBX ${pbx}`);
          return lead;
        }
        this.#states.set(pbx, { state: 'standby', by: lead });
        if (said !== lead.holder)
          log.info({ pbx, holder: lead.holder }, `PBX ${pbx} is led by ${lead.holder}; this bridge stands by`);
        said = lead.holder;
        await sleep(clock, TRY_EVERY_MS, signal);
      } catch (thrown) {
        failures += 1;
        const { message } = asError(thrown);
        this.#states.set(pbx, { state: 'waiting', reason: message });
        if (said !== message)
          log[isBridgeError(thrown) ? 'warn' : 'error'](
            { pbx, error: message },
            `the lead of PBX ${pbx} could not be asked for`,
          );
        said = message;
        await sleep(clock, backoff(STORE_BACKOFF, failures, random()), signal);
      }
    }
    return undefined;
  }

  /** Undefined when the lead is lost, or the bridge stops, before it could be read. */
  async #load(lead: Lead): Promise<Heritage | undefined> {
    const { clock, random, log } = this.options;
    const { signal } = this.#stopping;
    for (let failures = 1; !signal.aborted && !lead.ended.aborted; failures += 1) {
      try {
        return await lead.load();
      } catch (thrown) {
        const { message } = asError(thrown);
        this.#states.set(lead.pbx, { state: 'waiting', reason: message });
        log.warn({ pbx: lead.pbx, error: message }, 'what was left of the calls could not be read yet');
        await sleep(clock, backoff(STORE_BACKOFF, failures, random()), signal);
      }
    }
    return undefined;
  }
}

/** Resolves as soon as one of them is aborted. */
const aborted = (signals: readonly AbortSignal[]): Promise<void> =>
  new Promise((resolve) => {
    const any = AbortSignal.any([...signals]);
    if (any.aborted) resolve();
    else
      any.addEventListener(
        'abort',
        () => {
          resolve();
        },
        { once: true },
      );
  });
