/** A dispatcher with everything around it in the test's hands. */
import { pino } from 'pino';
import { asCallId, asPbxName, asZammadName } from '../../../../src/call/vocabulary.js';
import type { AnswerPost, HangupPost, NewCallPost, Post } from '../../../../src/call/vocabulary.js';
import type { NewOutboxItem, OutboxItem } from '../../../../src/store/outbox.js';
import { createDispatcher } from '../../../../src/zammad/dispatcher.js';
import type { Dispatcher, LeadView, ReplyEvent } from '../../../../src/zammad/dispatcher.js';
import type { DeliverySettings } from '../../../../src/zammad/settings.js';
import { FakeOutbox } from '../../../support/fake-outbox.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { ModelZammad } from './model-zammad.js';

export const MAIN = asZammadName('main');
export const OFFICE = asPbxName('office');

/** A lead in the test's hands. */
export class TestLead implements LeadView {
  until = Infinity;
  readonly #ended = new AbortController();
  constructor(
    readonly pbx = OFFICE,
    readonly epoch = 1,
  ) {}
  get ended(): AbortSignal {
    return this.#ended.signal;
  }
  end(): void {
    this.#ended.abort();
  }
}

export const newCall = (call: string, more: Partial<NewCallPost> = {}): NewCallPost => ({
  event: 'newCall',
  callId: asCallId(call),
  direction: 'in',
  from: '491711234567',
  to: '4930555200',
  user: ['Alice Agent', 'Bob'],
  queue: 'sales',
  ...more,
});
export const answer = (call: string, more: Partial<AnswerPost> = {}): AnswerPost => ({
  event: 'answer',
  callId: asCallId(call),
  direction: 'in',
  from: '491711234567',
  to: '4930555200',
  user: 'Alice Agent',
  answeringNumber: '100',
  ...more,
});
export const hangup = (call: string, more: Partial<HangupPost> = {}): HangupPost => ({
  event: 'hangup',
  callId: asCallId(call),
  direction: 'in',
  from: '491711234567',
  to: '4930555200',
  cause: 'cancel',
  ...more,
});

export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [key: string]: unknown;
}

export class Rig {
  readonly clock: ManualClock;
  readonly zammad: ModelZammad;
  readonly replies: ReplyEvent[] = [];
  readonly lines: LogLine[] = [];
  readonly counters = new Map<string, number>();
  readonly outbox: FakeOutbox;
  lead = new TestLead();
  dispatcher: Dispatcher;
  readonly #settings: Partial<DeliverySettings>;

  /** @param beside another bridge with the same time and the same Zammad. */
  constructor(settings: Partial<DeliverySettings> = {}, outbox = new FakeOutbox(), beside?: Rig) {
    this.clock = beside?.clock ?? new ManualClock();
    this.zammad = beside?.zammad ?? new ModelZammad(this.clock);
    this.#settings = settings;
    this.outbox = outbox;
    this.dispatcher = this.newDispatcher();
  }

  /** As after a restart: a new dispatcher over the same outbox. */
  newDispatcher(): Dispatcher {
    this.dispatcher = createDispatcher({
      outbox: this.outbox,
      zammads: [{ name: MAIN, client: this.zammad }],
      clock: this.clock,
      random: () => 0.5,
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
      settings: this.#settings,
      onReply: (event) => this.replies.push(event),
    });
    return this.dispatcher;
  }

  /** Begins to send, as the leader of `office`, with all that stands in the outbox. */
  start(): void {
    this.take();
    this.dispatcher.start();
  }

  /** Takes the lead with all that stands in the outbox. */
  take(lead = this.lead): void {
    this.lead = lead;
    const ofPbx = ({ pbx }: OutboxItem): boolean => pbx === lead.pbx;
    this.dispatcher.take(lead, this.outbox.open().filter(ofPbx), this.outbox.newCalls().filter(ofPbx));
  }

  append(posts: readonly Post[], more: Partial<NewOutboxItem> = {}): readonly OutboxItem[] {
    return this.outbox.append(
      posts.map((post) => ({
        pbx: OFFICE,
        zammad: MAIN,
        callId: post.callId,
        post,
        repeatable: false,
        happenedAt: this.clock.wall(),
        ...more,
      })),
    );
  }

  /** Commits posts and tells the dispatcher. */
  tell(posts: readonly Post[], more: Partial<NewOutboxItem> = {}): void {
    this.dispatcher.notify(this.append(posts, more));
  }

  /** Runs virtual time until nothing waits any more. */
  async untilIdle(limit?: number): Promise<void> {
    let idle = false;
    const done = this.dispatcher.idle().then(() => {
      idle = true;
    });
    await this.clock.until(() => idle, limit);
    await done;
  }
}
