import { FreeSwitchLegs } from '../../adapters/freeswitch/legs.js';
import type { Listing } from '../../adapters/freeswitch/listing.js';
import { trunkTest } from '../../adapters/freeswitch/trunks.js';
import type { EslEvent } from '../../adapters/freeswitch/event.js';
import type { Agent, CallSettings } from '../../src/call/settings.js';
import { LegBench } from './leg-bench.js';

/** The agents of the PBX that was recorded. */
export const FREESWITCH_AGENTS: readonly Agent[] = [
  ['1000', 'Alice Agent'],
  ['1001', 'Bob Agent'],
  ['1002', 'Carol Agent'],
  ['1003', 'Dave Agent'],
  ['1004', 'Erin Agent'],
  ['1005', 'Frank Agent'],
].map(([extension = '', name = '']) => ({ extension, name, devices: [], phones: [] }));

export interface FreeSwitchBenchOptions {
  readonly trunks?: readonly string[];
  readonly agents?: readonly Agent[];
  readonly calls?: Partial<CallSettings>;
}

/** FreeSWITCH's legs and the brain behind them, fed by hand. */
export class FreeSwitchBench extends LegBench {
  legs: FreeSwitchLegs;

  constructor(private readonly options: FreeSwitchBenchOptions = {}) {
    super({ agents: options.agents ?? FREESWITCH_AGENTS, calls: options.calls });
    this.legs = new FreeSwitchLegs(trunkTest(options.trunks));
  }

  hear(event: EslEvent, at = this.now): this {
    return this.until(at).tell(this.legs.push(event));
  }
  override crash(): this {
    this.legs = new FreeSwitchLegs(trunkTest(this.options.trunks));
    return super.crash();
  }
  /** FreeSWITCH answers the questions of a connect. */
  resync(listing: Listing, meanwhile: readonly EslEvent[] = []): this {
    this.legs.beginListing(false);
    for (const event of meanwhile) this.hear(event);
    return this.tell(this.legs.takeListing(listing));
  }
}
