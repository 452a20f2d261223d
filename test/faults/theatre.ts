import {
  FakeAmi,
  type Answer,
  type FakeAmiConnection,
  type Headers,
  type ReceivedAction,
} from '../support/fake-ami.js';
import { AsteriskState, type Fields } from '../support/asterisk-state.js';
import type { CaseFacts } from './case-facts.js';
import type { HearingLedger } from './hearing.js';
import { playOf, type PlayMessage } from './recorded-play.js';

/** A recorded case on its way. */
export interface Play {
  readonly tag: string;
  readonly facts: CaseFacts;
  readonly began: number;
  /** When each message was said. */
  readonly sentAt: readonly number[];
}

interface Running extends Play {
  readonly sentAt: number[];
  readonly state: AsteriskState;
}

export const LOGIN = { username: 'bridge', secret: 'fault-run-secret' } as const;

/**
 * One Asterisk on whose manager interface recorded cases are played, many at once, each in its own real time. What a bridge
 * asks is answered from the state that the events said so far have made. It has a door (a port) for each bridge; all doors
 * lead to the same PBX.
 */
export class Theatre {
  readonly plays: Play[] = [];
  readonly #running = new Set<Running>();
  readonly #doors: FakeAmi[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly ledger: HearingLedger,
    private readonly now: () => number,
  ) {}

  /** Opens a door and returns its port. `onLogin`: the bridge was let in. */
  async open(bridge: string, onLogin: () => void = () => undefined): Promise<number> {
    const door = await FakeAmi.start({
      ...LOGIN,
      answer: (action, connection) => this.#answer(action, connection),
      onLogin: (connection) => {
        this.ledger.login(connection, bridge);
        onLogin();
      },
      onClose: (connection) => {
        this.ledger.closed(connection);
      },
    });
    this.#doors.push(door);
    return door.port;
  }

  /** Begins to play; resolves when it is over. */
  async play(facts: CaseFacts, tag: string): Promise<void> {
    const messages = playOf(facts.bytes, tag, this.plays.length);
    const play: Running = { tag, facts, began: this.now(), sentAt: [], state: new AsteriskState() };
    this.plays.push(play);
    this.#running.add(play);
    for (const message of messages) {
      await this.#until(play.began + message.at);
      this.#say(play, message);
    }
    if (play.state.channels().length > 0)
      throw new Error(`${facts.name} leaves channels behind: ${play.state.channels().join(', ')}`);
    this.#running.delete(play);
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.#doors.map((door) => door.close()));
  }

  /** What has happened is said at once: state and wire never differ. */
  #say(play: Running, { bytes, message }: PlayMessage): void {
    const now = this.now();
    play.sentAt.push(now);
    play.state.push(message, now);
    for (const door of this.#doors) door.broadcast(bytes);
  }

  #until(time: number): Promise<void> {
    const wait = time - this.now();
    if (wait <= 0.5) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        resolve();
      }, wait);
      this.#timers.add(timer);
    });
  }

  #answer(action: ReceivedAction, connection: FakeAmiConnection): Answer {
    const channel = action.get('channel');
    switch (action.name) {
      case 'bridgelist':
        return { items: this.#items((state) => state.bridgeList()), complete: 'BridgeListComplete' };
      case 'status': {
        const items = this.#items((state) => state.status(this.now()));
        if (channel === '') {
          this.ledger.snapshot(connection);
          return { items, complete: 'StatusComplete' };
        }
        const one = items.filter((item) => item.some(([name, value]) => name === 'Channel' && value === channel));
        return one.length === 0 ? NO_SUCH_CHANNEL : { items: one, complete: 'StatusComplete' };
      }
      case 'getvar': {
        const play = [...this.#running].find(({ state }) => state.status().some((item) => item['Channel'] === channel));
        if (play === undefined) return NO_SUCH_CHANNEL;
        const variable = action.get('variable');
        return [
          ['Variable', variable],
          ['Value', variable === 'CALLERID(pres)' ? (play.facts.withheld ? 'prohib' : 'allowed_not_screened') : ''],
        ];
      }
      case 'hangup':
        return NO_SUCH_CHANNEL;
      default:
        return undefined;
    }
  }

  #items(of: (state: AsteriskState) => readonly Fields[]): readonly Headers[] {
    return [...this.#running].flatMap(({ state }) => of(state)).map((item) => Object.entries(item));
  }
}

const NO_SUCH_CHANNEL: Headers = [
  ['Response', 'Error'],
  ['Message', 'No such channel'],
];
