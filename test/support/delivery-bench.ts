/** The whole delivery side over real sockets: a stand-in for Zammad, the store in memory, and a lead in the test's hands. */
import { pino } from 'pino';
import { asCallId, asPbxName, asZammadName } from '../../src/call/vocabulary.js';
import type { AnswerPost, HangupPost, NewCallPost, Post } from '../../src/call/vocabulary.js';
import { systemClock } from '../../src/clock.js';
import { Secret } from '../../src/secret.js';
import { startStandIn } from '../../src/stand-in/server.js';
import type { StandIn, StandInOptions } from '../../src/stand-in/stand-in.js';
import { createMemoryStore } from '../../src/store/memory-store.js';
import type { NewOutboxItem, OutboxItem } from '../../src/store/outbox.js';
import type { Lead } from '../../src/store/store.js';
import { createZammadClient } from '../../src/zammad/client.js';
import type { ZammadClient } from '../../src/zammad/client.js';
import { createDispatcher } from '../../src/zammad/dispatcher.js';
import type { Dispatcher, LeadView, ReplyEvent } from '../../src/zammad/dispatcher.js';
import type { DeliverySettings } from '../../src/zammad/settings.js';
import { within } from './wait-for.js';

export const MAIN = asZammadName('main');
export const OFFICE = asPbxName('office');
const API_TOKEN = 'api-token-of-an-agent';

const inbound = (call: string) =>
  ({ callId: asCallId(call), direction: 'in', from: '491711234567', to: '4930555200' }) as const;
const outbound = (call: string) =>
  ({ callId: asCallId(call), direction: 'out', from: '4930555100', to: '491711234567' }) as const;

export const newCall = (call: string, more: Partial<NewCallPost> = {}): NewCallPost => ({
  event: 'newCall',
  ...inbound(call),
  user: ['Alice Agent'],
  ...more,
});
export const newCallOut = (call: string): NewCallPost => newCall(call, outbound(call));
export const answer = (call: string, more: Partial<AnswerPost> = {}): AnswerPost => ({
  event: 'answer',
  ...inbound(call),
  user: 'Alice Agent',
  answeringNumber: '100',
  ...more,
});
export const hangup = (call: string, more: Partial<HangupPost> = {}): HangupPost => ({
  event: 'hangup',
  ...inbound(call),
  cause: 'cancel',
  ...more,
});
export const hangupOut = (call: string): HangupPost => hangup(call, { ...outbound(call), cause: 'normalClearing' });

export interface LogLine {
  readonly level: number;
  readonly msg: string;
}

export interface BenchOptions {
  readonly standIn?: StandInOptions;
  /** With an API token. */
  readonly token?: boolean;
  readonly settings?: Partial<DeliverySettings>;
  readonly maxIdle?: number;
}

export class DeliveryBench {
  /** What the dispatcher sees of the lead; `until` may be moved. */
  readonly view: { -readonly [Key in keyof LeadView]: LeadView[Key] };
  readonly replies: ReplyEvent[] = [];
  readonly lines: LogLine[] = [];
  readonly counters = new Map<string, number>();
  readonly dispatcher: Dispatcher;
  readonly client: ZammadClient;
  readonly #clients: ZammadClient[] = [];

  private constructor(
    readonly standIn: StandIn,
    readonly store: ReturnType<typeof createMemoryStore>,
    readonly lead: Lead,
    { token = false, settings = {}, maxIdle }: BenchOptions,
  ) {
    this.view = { pbx: lead.pbx, epoch: lead.epoch, until: Infinity, ended: lead.ended };
    this.client = this.#clientOf(token, maxIdle);
    this.dispatcher = createDispatcher({
      outbox: store.outbox,
      zammads: [{ name: MAIN, client: this.client }],
      clock: systemClock,
      random: Math.random,
      log: pino(
        { level: 'debug' },
        {
          write: (line: string) => {
            this.lines.push(JSON.parse(line) as LogLine);
          },
        },
      ),
      metrics: {
        count: (name, labels, by = 1) => {
          const key = [name, ...Object.values(labels ?? {})].join(' ');
          this.counters.set(key, (this.counters.get(key) ?? 0) + by);
        },
        gauge: () => undefined,
      },
      settings: {
        timeout: 300,
        lateness: 300,
        backoff: { first: 10, max: 40 },
        heldBackoff: { first: 20, max: 60 },
        ...settings,
      },
      onReply: (event) => this.replies.push(event),
    });
  }

  /** Not yet sending: `begin` or `dispatcher.start` does. */
  static async open(options: BenchOptions = {}): Promise<DeliveryBench> {
    const standIn = await startStandIn({ apiToken: API_TOKEN, ...options.standIn });
    const store = createMemoryStore();
    const lead = await store.lead(OFFICE);
    if ('holder' in lead) throw new Error('nobody else can lead');
    return new DeliveryBench(standIn, store, lead, options);
  }

  static async begin(options: BenchOptions = {}): Promise<DeliveryBench> {
    const bench = await DeliveryBench.open(options);
    bench.dispatcher.take(bench.view, [], []);
    bench.dispatcher.start();
    return bench;
  }

  async close(): Promise<void> {
    await this.dispatcher.stop(0);
    for (const client of this.#clients) client.close();
    await this.standIn.stop();
    await this.store.close(0);
  }

  /** Another client for the same Zammad, which has an API token. */
  clientWithToken(): ZammadClient {
    return this.#clientOf(true);
  }

  #clientOf(token: boolean, maxIdle?: number): ZammadClient {
    const client = createZammadClient({
      name: MAIN,
      url: new Secret(this.standIn.url),
      origin: this.standIn.origin,
      apiToken: token ? new Secret(API_TOKEN) : undefined,
      encoding: 'form',
      version: '1.2.3',
      clock: systemClock,
      maxIdle,
    });
    this.#clients.push(client);
    return client;
  }

  commit(posts: readonly Post[], more: Partial<NewOutboxItem> = {}): Promise<readonly OutboxItem[]> {
    return this.lead.commit({
      calls: [],
      posts: posts.map((post) => ({
        pbx: OFFICE,
        zammad: MAIN,
        callId: post.callId,
        post,
        repeatable: false,
        happenedAt: Date.now(),
        ...more,
      })),
    });
  }

  async tell(posts: readonly Post[], more: Partial<NewOutboxItem> = {}): Promise<void> {
    this.dispatcher.notify(await this.commit(posts, more));
  }

  idle(): Promise<void> {
    return within(8000, 'the outbox to be empty', this.dispatcher.idle());
  }

  /** What was posted of a call, in order, by its events; whatever became of it. */
  posted(call?: string): readonly (string | undefined)[] {
    return this.standIn
      .requests()
      .filter(({ event, callId }) => event !== 'log' && callId !== undefined && (call === undefined || callId === call))
      .map(({ event }) => event);
  }

  /** Looks into the caller log. */
  get looks(): number {
    return this.standIn.requests().filter(({ event }) => event === 'log').length;
  }

  /** What the store has of a call's posts: delivered ones are gone. */
  async left(call: string): Promise<readonly (readonly [string, string])[]> {
    const [known] = await this.lead.knowledge([asCallId(call)]);
    return (known?.posts ?? []).map(({ post, state }) => [post.event, state]);
  }
}
