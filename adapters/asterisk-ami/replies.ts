import type { Clock } from '../../src/clock.js';
import { type BridgeError, PermanentError, RetriableError } from '../../src/errors.js';
import type { AmiMessage } from './message.js';

/** Actions under way at one time. More would mean that Asterisk does not answer, or that somebody asks in a loop. */
export const MAX_PENDING = 1000;
/** Items of one list. */
const MAX_LIST_ITEMS = 100_000;

const LIST = 'ZPB_AMI_LIST';
const TIMEOUT = 'ZPB_AMI_TIMEOUT';

/** Asterisk answered `Response: Error` to a list action. `reason` is its own text, e.g. `Permission denied`. */
export class AmiRefusedError extends PermanentError {
  constructor(
    action: string,
    readonly reason: string,
  ) {
    super(
      'ZPB_AMI_REFUSED',
      `Asterisk refused the action ${action}: ${JSON.stringify(reason)}. If it is about permissions, give the login the ` +
        'read and write classes of the documentation in manager.conf; then "manager reload", and restart the bridge.',
    );
  }
}

/** The PBX is there, but gave no answer in time, or no whole one. */
export const isNoWholeAnswer = (thrown: unknown): thrown is RetriableError =>
  thrown instanceof RetriableError && (thrown.code === LIST || thrown.code === TIMEOUT);

/** `done`: this was the last message it waits for; `other`: a message it does not wait for, though it bears its ActionID. */
type Taken = 'more' | 'done' | 'other';

/** What waits for the messages of one ActionID. */
interface Waiting {
  take(message: AmiMessage): Taken;
  fail(error: BridgeError): void;
}

/** The actions that have no (complete) answer yet, by ActionID; each with its time-out. */
export class Replies {
  readonly #waiting = new Map<string, { readonly waiting: Waiting; readonly cancel: () => void }>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Settles with the first message that bears this ActionID. */
  one(id: string, action: string, timeout: number): Promise<AmiMessage> {
    return new Promise((resolve, reject) => {
      this.#add(id, action, timeout, {
        take: (message) => {
          if (message.event !== undefined) return 'other';
          resolve(message);
          return 'done';
        },
        fail: reject,
      });
    });
  }

  /**
   * Settles with the items between the response and `completeEvent`. `onItem` gets each one as it comes, so that it can be
   * merged with the events of the wire between which it stands.
   */
  list(
    id: string,
    action: string,
    completeEvent: string,
    timeout: number,
    onItem?: (item: AmiMessage) => void,
  ): Promise<readonly AmiMessage[]> {
    return new Promise((resolve, reject) => {
      const items: AmiMessage[] = [];
      this.#add(id, action, timeout, {
        take: (message) => {
          if (message.event === undefined) {
            if (message.response?.toLowerCase() !== 'error') return 'more';
            reject(new AmiRefusedError(action, message.get('Message') ?? ''));
            return 'done';
          }
          if (message.event !== completeEvent) {
            items.push(message);
            onItem?.(message);
            if (items.length <= MAX_LIST_ITEMS) return 'more';
            reject(incomplete(action, `it has more than ${MAX_LIST_ITEMS} items`));
            return 'done';
          }
          const fault = listFault(message, items.length);
          if (fault === undefined) resolve(items);
          else reject(incomplete(action, fault));
          return 'done';
        },
        fail: reject,
      });
    });
  }

  /** Gives a message to the action it answers. False when nobody waits for it: it came too late, or answers nothing of ours. */
  deliver(message: AmiMessage): boolean {
    const id = message.actionId;
    const entry = id === undefined ? undefined : this.#waiting.get(id);
    if (id === undefined || entry === undefined) return false;
    const taken = entry.waiting.take(message);
    if (taken === 'done') {
      entry.cancel();
      this.#waiting.delete(id);
    }
    return taken !== 'other';
  }

  failAll(error: BridgeError): void {
    const entries = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { waiting, cancel } of entries) {
      cancel();
      waiting.fail(error);
    }
  }

  #add(id: string, action: string, timeout: number, waiting: Waiting): void {
    const cancel = this.#clock.after(timeout, () => {
      this.#waiting.delete(id);
      waiting.fail(
        new RetriableError(
          TIMEOUT,
          `Asterisk did not answer the action ${action} within ${timeout} ms. It may be overloaded; a late answer is ignored.`,
        ),
      );
    });
    this.#waiting.set(id, { waiting, cancel });
  }
}

const incomplete = (action: string, why: string): RetriableError =>
  new RetriableError(LIST, `Asterisk's reply to ${action} is no whole list: ${why}. Nothing is concluded from it.`);

/** Why this end of a list does not end a whole one. */
function listFault(complete: AmiMessage, received: number): string | undefined {
  if (complete.get('EventList')?.toLowerCase() === 'cancelled') return 'Asterisk cancelled it';
  const announced = complete.get('ListItems');
  if (announced === undefined || !/^\d+$/.test(announced) || Number(announced) === received) return undefined;
  return `${received} items came of ${announced}`;
}
