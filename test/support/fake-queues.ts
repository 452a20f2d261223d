/** The queues of an Asterisk, as a fake one answers and says. */
import type { Answers } from './adapter-rig.js';
import { encode, type Answer, type FakeAmi, type Headers } from './fake-ami.js';

export interface FakeMember {
  readonly queue: string;
  readonly interface: string;
  readonly stateInterface?: string;
  paused: boolean;
  lastPause: number;
}
export const member = (queue: string, name: string, stateInterface?: string): FakeMember => ({
  queue,
  interface: name,
  ...(stateInterface === undefined ? {} : { stateInterface }),
  paused: false,
  lastPause: 0,
});

/** Fields as Asterisk 22 has them, measured. */
export const headersOf = (one: FakeMember, event: string): Headers => [
  ['Event', event],
  ['Queue', one.queue],
  [event === 'QueueMember' ? 'Location' : 'Interface', one.interface],
  ['StateInterface', one.stateInterface ?? one.interface],
  ['LastPause', String(one.lastPause)],
  ['Paused', one.paused ? '1' : '0'],
  ['PausedReason', ''],
];

/** The queues of an Asterisk, and its custom device states. */
export class FakeQueues {
  readonly states = new Map<string, string>();
  /** A login without the class `agent`. */
  deaf = false;
  mayPause = true;
  asterisk: Pick<FakeAmi, 'broadcast'> | undefined;

  constructor(readonly members: FakeMember[]) {}

  readonly answers: Answers = {
    queuestatus: () => ({
      items: this.members.map((one) => headersOf(one, 'QueueMember')),
      complete: 'QueueStatusComplete',
    }),
    queuepause: (action): Answer => {
      if (!this.mayPause) return undefined;
      const his = this.members.filter((one) => one.interface === action.get('interface'));
      if (his.length === 0)
        return [
          ['Response', 'Error'],
          ['Message', 'Interface not found'],
        ];
      for (const one of his) this.pause(one, action.get('paused') === 'true');
      return [['Message', 'Interface paused successfully']];
    },
    devicestatelist: () => ({
      items: [...this.states].map(
        ([device, state]): Headers => [
          ['Event', 'DeviceStateChange'],
          ['Device', device],
          ['State', state],
        ],
      ),
      complete: 'DeviceStateListComplete',
    }),
    setvar: (action) => {
      const device = /^DEVICE_STATE\((.*)\)$/.exec(action.get('variable'))?.[1] ?? '';
      this.setState(device, action.get('value'));
      return [['Message', 'Variable Set']];
    },
  };

  /** In the order of a real one: the device state first. */
  pause(one: FakeMember, paused: boolean): void {
    if (one.paused !== paused)
      this.#say('DeviceStateChange', `Queue:${one.queue}_pause_${one.interface}`, paused ? 'INUSE' : 'NOT_INUSE');
    one.paused = paused;
    if (paused) one.lastPause = 1_800_000_000;
    this.tell('QueueMemberPause', one);
  }
  tell(event: string, one: FakeMember): void {
    if (!this.deaf) this.asterisk?.broadcast(encode(headersOf(one, event)));
  }
  setState(device: string, state: string): void {
    this.states.set(device, state);
    this.#say('DeviceStateChange', device, state);
  }
  #say(event: string, device: string, state: string): void {
    this.asterisk?.broadcast(
      encode([
        ['Event', event],
        ['Device', device],
        ['State', state],
      ]),
    );
  }
}
