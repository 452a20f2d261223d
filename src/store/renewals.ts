import type { Millis, PbxName } from '../call/vocabulary.js';
import type { Clock } from '../clock.js';
import type { DurableLead } from './durable-lead.js';
import type { Renewed } from './protocol.js';

export interface RenewalsOptions {
  readonly clock: Clock;
  readonly every: Millis;
  readonly ttl: Millis;
  /** Other machines may take over. */
  readonly shared: boolean;
  readonly leads: () => readonly DurableLead[];
  readonly renew: (leads: readonly { readonly pbx: PbxName; readonly epoch: number }[]) => Promise<readonly Renewed[]>;
  readonly onLost: (pbx: PbxName, epoch: number) => void;
}

/** Makes the leads last, again and again. A renewal counts from the moment at which it was sent. */
export class Renewals {
  #cancel: () => void = () => undefined;
  #stopped = false;

  constructor(private readonly options: RenewalsOptions) {}

  start(): void {
    this.#plan();
  }
  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #plan(): void {
    if (this.#stopped) return;
    this.#cancel = this.options.clock.after(this.options.every, () => {
      void this.#renewAll().finally(() => {
        this.#plan();
      });
    });
  }

  async #renewAll(): Promise<void> {
    const { clock, ttl, shared, leads, renew, onLost } = this.options;
    const held = leads();
    if (held.length === 0) return;
    const sentAt = clock.monotonic();
    let renewed: readonly Renewed[];
    try {
      renewed = await renew(held.map(({ pbx, epoch }) => ({ pbx, epoch })));
    } catch {
      // The store's state says so already; the leads run out by themselves.
      return;
    }
    for (const { pbx, epoch, kept, wanted } of renewed) {
      const lead = held.find((one) => one.pbx === pbx && one.epoch === epoch);
      if (lead === undefined || lead.ended.aborted) continue;
      if (!kept) {
        onLost(pbx, epoch);
        continue;
      }
      lead.wanted = wanted;
      if (shared) lead.until = Math.max(lead.until, sentAt + ttl);
    }
  }
}
