import { z } from 'zod';
import type { AgentLine, LegEvent } from '../../src/call/vocabulary.js';

type Availability = Extract<LegEvent, { type: 'availability' }>;

const PLACE = '{extension}';
/** What Asterisk has of its own accord in front of the name, and does not keep in its database. */
const CUSTOM = 'Custom:';
/** Goes into a function of the dialplan: nothing in it may end that. */
const NAME = /^[\w.+*#@:-]{1,200}$/u;

/** The setting `doNotDisturb.deviceState` of both interfaces. */
export const deviceStateSetting = z
  .string()
  .regex(
    /^Custom:[\w.-]*\{extension\}[\w.-]*$/,
    'must be a custom device state with {extension} in its name, e.g. Custom:DND{extension}',
  );
const NOT_SAID: ReadonlySet<string> = new Set(['', 'UNKNOWN', 'INVALID']);
/** Custom device states that are kept. */
const MOST_STATES = 20_000;

export const isDeviceName = (device: string): boolean => NAME.test(device);

/** The device states of one pattern (`Custom:DND{extension}`), in which a PBX keeps who does not wish to be disturbed. Pure. */
export class DeviceStates {
  readonly #before: string;
  readonly #after: string;
  readonly #told = new Map<string, { readonly line: AgentLine; readonly doNotDisturb: boolean }>();

  constructor(pattern: string) {
    const at = pattern.indexOf(PLACE);
    this.#before = pattern.slice(0, at);
    this.#after = pattern.slice(at + PLACE.length);
  }

  /** The device of an agent. */
  deviceOf(extension: string): string {
    return `${this.#before}${extension}${this.#after}`;
  }

  /** Of what stands in Asterisk's database (family `CustomDevstate`): the devices of this pattern. */
  devicesOf(keys: readonly string[]): readonly string[] {
    return keys
      .map((key) => CUSTOM + key)
      .filter((device) => NAME.test(device) && this.#extensionIn(device) !== undefined);
  }

  /** What was said of it last; undefined: nothing. */
  saidOf(device: string): boolean | undefined {
    return this.#told.get(device)?.doNotDisturb;
  }

  /** What a `DeviceStateChange` means; undefined: nothing new. A state that was never set says nothing. */
  take(device: string, state: string): Availability | undefined {
    const extension = this.#extensionIn(device);
    if (extension === undefined || NOT_SAID.has(state)) return undefined;
    const doNotDisturb = state !== 'NOT_INUSE';
    const before = this.#told.get(device);
    if (before?.doNotDisturb === doNotDisturb || (before === undefined && this.#told.size >= MOST_STATES))
      return undefined;
    const line: AgentLine = { kind: 'agent', extension, device };
    this.#told.set(device, { line, doNotDisturb });
    return { type: 'availability', place: 'phone', line, doNotDisturb };
  }

  /** After a connect everything is told once more. */
  tellAnew(): void {
    this.#told.clear();
  }

  /** The lines of which something was told. */
  lines(): readonly AgentLine[] {
    return [...this.#told.values()].map(({ line }) => line);
  }

  #extensionIn(device: string): string | undefined {
    const end = device.length - this.#after.length;
    if (!device.startsWith(this.#before) || !device.endsWith(this.#after) || end <= this.#before.length)
      return undefined;
    return device.slice(this.#before.length, end);
  }
}
