import { callIdOf } from './call/call-id.js';
import type { PbxName } from './call/vocabulary.js';
import type { Config } from './config/model.js';
import { Dialler, type DiallerOptions, type FoundPbx } from './dial/dialler.js';
import type { Leads } from './leads.js';
import type { LedPbx } from './led-pbx.js';

export interface DialParts extends Pick<DiallerOptions, 'clock' | 'log' | 'count'> {
  readonly config: Config;
  readonly led: ReadonlyMap<PbxName, Pick<LedPbx, 'line'>>;
  readonly leads: Pick<Leads, 'state'>;
}

/** Click-to-call over the PBXs that this bridge leads. */
export function createDialler({ config, led, leads, clock, log, count }: DialParts): Dialler {
  const { dial, gate, calls, pbx: pbxs, agents } = config;
  return new Dialler({
    agents,
    pbxs: pbxs.map(({ name }) => name),
    find: (wanted) => {
      const name = pbxs.find((pbx) => pbx.name === wanted)?.name;
      return name === undefined ? { kind: 'not-yet' } : findPbx(name, led, leads);
    },
    rules: {
      country: calls.country,
      allow: dial.allow,
      deny: dial.deny,
      written: dial.written,
      outsidePrefix: dial.outsidePrefix,
      emergency: gate.emergency,
      outsideLine: gate.outsideLine,
    },
    rate: dial.rate,
    ringFor: dial.ringFor,
    clock,
    log,
    count,
  });
}

function findPbx(name: PbxName, led: DialParts['led'], leads: DialParts['leads']): FoundPbx {
  const state = leads.state(name);
  if (state.state === 'standby') return { kind: 'elsewhere', address: state.by.address };
  const line = led.get(name)?.line;
  if (state.state === 'waiting' || line === undefined)
    return { kind: 'not-yet', reason: state.state === 'waiting' ? state.reason : undefined };
  return {
    kind: 'here',
    pbx: {
      originate: (order) => line.originate(order),
      callIdOf: (leg) => callIdOf(name, leg, 1),
    },
  };
}
