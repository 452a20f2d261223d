import type { Logger } from 'pino';
import { trunkMatcher, type ChannelName } from './channel-name.js';

/** So many channels without a trunk among them: either only colleagues have talked so far, or a name is wrong. */
const STRANGERS_LIMIT = 6;

export interface TrunkSetOptions {
  readonly configured: readonly string[] | undefined;
  /** Of the PBX, for messages. */
  readonly name: string;
  readonly log: Logger;
}

/** The endpoints that lead outside: those configured, or those that were found. Nothing is guessed. */
export class TrunkSet {
  #matches: (name: ChannelName) => boolean;
  #found: readonly string[] = [];
  /** Devices seen while no trunk was; undefined once one was, or it was said. */
  #strangers: string[] | undefined = [];

  constructor(private readonly options: TrunkSetOptions) {
    this.#matches = trunkMatcher(options.configured ?? []);
  }

  /** `PJSIP/provider`: what the PBX was found to have. */
  get found(): readonly string[] {
    return this.#found;
  }

  /** An Asterisk that has not read its endpoints yet knows none: those of before are the better guess. */
  take(found: readonly string[]): void {
    if (found.length === 0 || found.join() === this.#found.join()) return;
    this.#found = found;
    this.#matches = trunkMatcher(found);
    this.options.log.info({ trunks: found }, `trunks found: ${found.join(', ')}`);
  }

  matches(name: ChannelName): boolean {
    const isTrunk = this.#matches(name);
    if (isTrunk) this.#strangers = undefined;
    else this.#notice(name);
    return isTrunk;
  }

  /** A name that is spelled wrong would otherwise show nothing at all: every customer would be taken for a colleague. */
  #notice({ device }: ChannelName): void {
    const { configured, log, name } = this.options;
    if (this.#strangers === undefined) return;
    this.#strangers.push(device);
    if (this.#strangers.length < STRANGERS_LIMIT) return;
    const seen = [...new Set(this.#strangers)].join(', ');
    const trunks = (configured ?? this.#found).join(', ') || 'none';
    this.#strangers = undefined;
    log.warn(
      { trunks, seen },
      `no channel so far belongs to a trunk of PBX ${name} (trunks: ${trunks}; seen: ${seen}). If a customer was among them, ` +
        'put the name of his channel into trunks: [NAME]',
    );
  }
}
