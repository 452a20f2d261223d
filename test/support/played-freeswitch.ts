/** A FreeSWITCH that plays recorded calls, in their own time or faster, to whoever listens, and has them wait at a gate. */
import { type ApiAnswer, FakeFreeSwitch } from './fake-freeswitch.js';
import { blockWith, OutboundCall, recordedGate } from './fake-outbound-socket.js';
import { freeSwitchCases, type TimedEvent } from './freeswitch-cases.js';
import { FreeSwitchState } from './freeswitch-state.js';
import { pause } from './wait-for.js';

export const recorded = (name: string): readonly TimedEvent[] => {
  const found = freeSwitchCases.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no recording ${name}`);
  return found.events();
};

/** A recorded call that waits at the gate. */
export interface GatedCall {
  readonly call: OutboundCall;
  /** Its leg begins, for those who listen. */
  readonly begins: () => void;
  /** What was recorded after it had left the gate. */
  readonly goesOn: () => Promise<void>;
}

export class PlayedFreeSwitch {
  state = new FreeSwitchState();
  /** Makes the list of channels this much longer, bytes. */
  ballast = 0;
  /** What comes of `originate …`; undefined: there is no such command. */
  originate: (command: string) => ApiAnswer | undefined = () => undefined;
  esl!: FakeFreeSwitch;
  readonly #waiting = new Map<string, OutboundCall>();

  async start(port = 0): Promise<this> {
    this.esl = await FakeFreeSwitch.start({ api: (command) => this.#answer(command) }, port);
    return this;
  }
  /** It is gone without a word, and all its calls with it. It may be started again. */
  async die(): Promise<void> {
    for (const call of this.#waiting.values()) call.cut();
    this.#waiting.clear();
    this.state = new FreeSwitchState();
    await this.esl.close();
  }

  /** @param speed 1: in their own time. */
  async play(events: readonly TimedEvent[], speed: number): Promise<void> {
    const began = performance.now() - (events[0]?.at ?? 0) / speed;
    for (const { at, event, headers } of events) {
      const wait = at / speed - (performance.now() - began);
      if (wait > 1) await pause(wait);
      this.state.push(event);
      this.esl.say(headers);
    }
  }

  /** The call of a recording comes to the `socket` of its dialplan. @param headers what its block says otherwise. */
  gate(name: string, port: number, headers: Readonly<Record<string, string>> = {}): GatedCall {
    const events = recorded(name);
    const begin = events.findIndex(({ event }) => event.name === 'CHANNEL_CREATE');
    const [first, ...rest] = events.slice(begin);
    if (first === undefined) throw new Error(`there is no leg in the recording ${name}`);
    const call = OutboundCall.enter({ port, block: blockWith(recordedGate(name).block, headers) });
    this.#waiting.set(call.leg, call);
    return {
      call,
      begins: () => {
        this.state.push(first.event);
        this.esl.say(first.headers);
      },
      goesOn: () => this.play(rest, 20),
    };
  }

  #answer(command: string): ApiAnswer | undefined {
    if (command === 'show channels as json')
      return this.state.showChannels().replace('{', `{"ballast":${JSON.stringify('x'.repeat(this.ballast))},`);
    const [word = '', id = '', cause = ''] = command.split(' ');
    if (word === 'originate') return this.originate(command);
    if (word === 'uuid_dump') return this.state.describe(id);
    if (word !== 'uuid_kill') return undefined;
    if (!this.state.legs().includes(id)) return '-ERR No such channel!\n';
    this.#waiting.get(id)?.hangUp(cause);
    return '+OK\n';
  }
}
