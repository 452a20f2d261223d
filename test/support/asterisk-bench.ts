import { trunkMatcher } from '../../adapters/asterisk/channel-name.js';
import { AsteriskLegs } from '../../adapters/asterisk/legs.js';
import type { AmiMessage } from '../../adapters/asterisk-ami/message.js';
import type { Agent, CallSettings } from '../../src/call/settings.js';
import { LegBench } from './leg-bench.js';

export type { TimedPost } from './leg-bench.js';

/** The agents of the PBX that was recorded. */
export const LAB_AGENTS: readonly Agent[] = [
  ['100', 'Alice Agent'],
  ['101', 'Bob Agent'],
  ['102', 'Carol Agent'],
  ['103', 'Dave Agent'],
  ['104', 'Erin Agent'],
  ['105', 'Frank Agent'],
  ['106', 'Grace Agent'],
].map(([extension = '', name = '']) => ({ extension, name, devices: [], phones: [] }));

export interface AsteriskBenchOptions {
  readonly trunks?: readonly string[];
  readonly agents?: readonly Agent[];
  readonly calls?: Partial<CallSettings>;
}

/** Asterisk's legs and the brain behind them, fed by hand. */
export class AsteriskBench extends LegBench {
  legs: AsteriskLegs;
  readonly #isTrunk: ReturnType<typeof trunkMatcher>;

  constructor(options: AsteriskBenchOptions = {}) {
    super({ agents: options.agents ?? LAB_AGENTS, calls: options.calls });
    this.#isTrunk = trunkMatcher(options.trunks ?? ['trunk']);
    this.legs = new AsteriskLegs(this.#isTrunk);
  }

  hear(message: AmiMessage, at = this.now): this {
    return this.until(at).tell(this.legs.push(message));
  }
  override crash(): this {
    this.legs = new AsteriskLegs(this.#isTrunk);
    return super.crash();
  }
  /** The PBX answers the questions of a connect; item by item, as the adapter hands them on. */
  resync(bridges: readonly AmiMessage[], channels: readonly AmiMessage[], meanwhile: readonly AmiMessage[] = []): this {
    this.legs.beginSnapshot();
    for (const message of meanwhile) this.hear(message);
    for (const item of bridges) this.legs.bridgeItem(item);
    for (const item of channels) this.tell(this.legs.statusItem(item));
    return this.tell(this.legs.endSnapshot());
  }
}
