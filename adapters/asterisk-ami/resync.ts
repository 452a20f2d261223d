import type { Logger } from 'pino';
import type { LegEvent } from '../../src/call/vocabulary.js';
import type { Clock } from '../../src/clock.js';
import { asError } from '../../src/errors.js';
import { listBridges, listStatus } from './actions.js';
import type { AsteriskLegs } from '../asterisk/legs.js';
import { AmiRefusedError, isNoWholeAnswer } from './replies.js';
import { giveRight } from './rights.js';
import type { AmiSession } from './session.js';

const LIST_TIMEOUT_MS = 10_000;
/** A PBX that gave no whole list is asked again after so long. */
const AGAIN_MS = 30_000;

export interface ResyncOptions {
  readonly legs: AsteriskLegs;
  readonly clock: Clock;
  readonly log: Logger;
  readonly emit: (batch: readonly LegEvent[]) => void;
}

/** Takes the snapshot after a connect: all channels, merged with the events between which their list stands. */
export class Resync {
  #cancel: () => void = () => undefined;
  #underWay: Promise<string | undefined> | undefined;

  constructor(private readonly options: ResyncOptions) {}

  /**
   * Returns what is missing when the PBX refused, or gave no whole list (then it is asked again by itself).
   * @throws BridgeError when the connection broke.
   */
  take(session: AmiSession): Promise<string | undefined> {
    this.#underWay ??= this.#take(session).finally(() => {
      this.#underWay = undefined;
    });
    return this.#underWay;
  }

  async #take(session: AmiSession): Promise<string | undefined> {
    const { legs, emit } = this.options;
    legs.beginSnapshot();
    try {
      await session.list(listBridges.action, listBridges.complete, {
        timeout: LIST_TIMEOUT_MS,
        onItem: (item) => {
          legs.bridgeItem(item);
        },
      });
      await session.list(listStatus.action, listStatus.complete, {
        timeout: LIST_TIMEOUT_MS,
        onItem: (item) => {
          emit(legs.statusItem(item));
        },
      });
      emit(legs.endSnapshot());
      return undefined;
    } catch (thrown) {
      emit(legs.abandonSnapshot());
      const lost = 'calls in progress cannot be taken up after a break';
      if (thrown instanceof AmiRefusedError)
        return `${lost} (Asterisk says: ${thrown.reason}): ${giveRight('write=call')}`;
      if (!isNoWholeAnswer(thrown)) throw thrown;
      this.#takeLater(session);
      return `${lost} yet (${thrown.message}): the PBX is asked again every ${AGAIN_MS / 1000} s`;
    }
  }

  /** Asks nothing more. */
  end(): void {
    this.#cancel();
  }

  #takeLater(session: AmiSession): void {
    const { clock, log } = this.options;
    this.#cancel();
    this.#cancel = clock.after(AGAIN_MS, () => {
      this.take(session).then(
        (missing) => {
          if (missing === undefined) log.info('calls in progress are taken up');
          else log.warn(missing);
        },
        (thrown: unknown) => {
          log.debug({ error: asError(thrown) }, 'the connection ended before the calls in progress were taken up');
        },
      );
    });
  }
}
