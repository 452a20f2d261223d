import type { Logger } from 'pino';
import type { Clock } from '../../src/clock.js';
import { asError } from '../../src/errors.js';
import type { ChannelName } from '../asterisk/channel-name.js';
import { TrunkSet } from '../asterisk/trunk-set.js';
import { AmiRefusedError, isNoWholeAnswer } from './replies.js';
import { giveRight } from './rights.js';
import type { AmiSession } from './session.js';
import { discoverTrunks } from './trunk-discovery.js';

const LIST_TIMEOUT_MS = 10_000;
/** While none is known: an Asterisk that is starting has not read its endpoints yet. */
const AGAIN_MS = 60_000;
/** After a reload, which Asterisk tells module by module. */
const RELOADED_MS = 2_000;

export interface TrunksOptions {
  readonly configured: readonly string[] | undefined;
  /** Of the PBX, for messages. */
  readonly name: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Which endpoints lead outside: those configured, or those that the PBX is asked for. Nothing is guessed. */
export class Trunks {
  readonly #set: TrunkSet;
  #cancel: () => void = () => undefined;

  constructor(private readonly options: TrunksOptions) {
    this.#set = new TrunkSet(options);
  }

  matches(name: ChannelName): boolean {
    return this.#set.matches(name);
  }

  /**
   * Asks the PBX. Returns what is missing then, in words for the admin.
   * @throws RetriableError when nothing is known and no whole answer came: no call could be told.
   */
  async learn(session: AmiSession): Promise<string | undefined> {
    const { configured, name, log } = this.options;
    if (configured !== undefined) return undefined;
    const setting = `set trunks: [NAME] of PBX ${name}`;
    try {
      await this.#ask(session);
      if (this.#set.found.length > 0) return undefined;
      this.#askLater(session, AGAIN_MS);
      return `no PJSIP endpoint looks like a trunk, so no call can be told: ${setting}`;
    } catch (thrown) {
      if (this.#set.found.length > 0 && (thrown instanceof AmiRefusedError || isNoWholeAnswer(thrown))) {
        log.debug({ error: thrown }, 'the trunks are taken to be those of before');
        return undefined;
      }
      if (!(thrown instanceof AmiRefusedError)) throw thrown;
      // Rights do not change while a login lasts; what a module that is not loaded yet says does.
      if (!/permission/i.test(thrown.reason)) this.#askLater(session, AGAIN_MS);
      return `it is not known which endpoints are trunks (Asterisk says: ${thrown.reason}), so no call can be told: ${setting}, or ${giveRight('write=system')}`;
    }
  }

  /** The PBX has read its configuration: other endpoints may lead outside now. */
  reloaded(session: AmiSession): void {
    if (this.options.configured === undefined) this.#askLater(session, RELOADED_MS);
  }

  /** The PBX has loaded all its modules. */
  fullyBooted(session: AmiSession): void {
    if (this.#set.found.length === 0) this.reloaded(session);
  }

  /** Asks nothing more. */
  end(): void {
    this.#cancel();
  }

  async #ask(session: AmiSession): Promise<void> {
    const found = await discoverTrunks(session, LIST_TIMEOUT_MS);
    this.#set.take(found.map((trunk) => `PJSIP/${trunk}`));
  }

  #askLater(session: AmiSession, ms: number): void {
    const { clock, log } = this.options;
    this.#cancel();
    this.#cancel = clock.after(ms, () => {
      this.learn(session).catch((thrown: unknown) => {
        log.debug({ error: asError(thrown) }, 'the PBX did not say which endpoints are trunks');
        if (isNoWholeAnswer(thrown)) this.#askLater(session, AGAIN_MS);
      });
    });
  }
}
