import type { AgentLine, LegEvent } from '../../../src/call/vocabulary.js';

type Availability = Extract<LegEvent, { type: 'availability' }>;

const PLACE = '{extension}';
/** Custom device states that are kept. */
const MOST_STATES = 20_000;

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

  /** What a `DeviceStateChange` means; undefined: nothing new. A state that was never set says nothing. */
  take(device: string, state: string): Availability | undefined {
    const extension = this.#extensionIn(device);
    if (extension === undefined || state === 'UNKNOWN' || state === 'INVALID') return undefined;
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
