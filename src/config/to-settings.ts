import type { CallSettings } from '../call/settings.js';
import { parseDuration } from './duration.js';
import type { Config } from './model.js';
import { words } from './word-kinds.js';
import { scalarTrouble, settingsOf, type Scalars } from './scalars.js';
import type { TreeMap } from './yaml-source.js';

/** A duration that the scalar settings have already found sound. */
export const millis = (text: string): number => parseDuration(text) ?? Number.NaN;

export const toCallSettings = ({ calls, numbers }: Scalars): CallSettings => ({
  ...calls,
  country: numbers.country,
  maxSilence: millis(calls.maxSilence),
});

export const toSettings = ({
  delivery,
  gate,
  dial,
  log,
}: Scalars): Pick<Config, 'delivery' | 'gate' | 'dial' | 'log'> => ({
  delivery: {
    timeout: millis(delivery.timeout),
    parallel: delivery.parallel,
    maxAge: millis(delivery.maxAge),
    drain: millis(delivery.drain),
  },
  gate: {
    budget: millis(gate.budget),
    rejectedCause: gate.rejectedCause,
    remember: millis(gate.remember),
    lateReject: millis(gate.lateReject),
    emergency: words(gate.emergency),
    outsideLine: words(gate.outsideLine),
  },
  dial: {
    allow: words(dial.allow),
    deny: words(dial.deny),
    rate: dial.rate,
    ringFor: millis(dial.ringFor),
    written: dial.written,
    outsidePrefix: dial.outsidePrefix,
  },
  log,
});

/** One PBX's own `calls` keys, already found sound, over those of all. */
export function overlayCalls(calls: CallSettings, own: TreeMap): CallSettings {
  const values = Object.entries(settingsOf('calls')).flatMap(([key, setting]) => {
    const { kind } = setting;
    const value = own[key];
    if (value === undefined || typeof value === 'object' || scalarTrouble(setting, value) !== undefined) return [];
    if (kind === 'duration') return [[key, millis(String(value))] as const];
    return [[key, kind === 'boolean' ? String(value) === 'true' : value] as const];
  });
  return { ...calls, ...(Object.fromEntries(values) as Partial<CallSettings>) };
}
