import type { CallId } from '../call/vocabulary.js';
import type { Clock } from '../clock.js';
import type { Credentials } from './credentials.js';
import { DurableCredentials } from './durable-credentials.js';
import type { AgentStates } from './agent-states.js';
import { DurableAgentStates } from './durable-agent-states.js';
import { knowledgeOf } from './knowledge.js';
import { readableItems } from './open-posts.js';
import type { NewOutboxItem, OutboxItem } from './outbox.js';
import { postRow } from './rows.js';
import type { CallKnowledge, Desk } from './store.js';
import type { WorkerLink } from './worker-link.js';

const GOODBYE_MS = 2_000;

export class DurableDesk implements Desk {
  readonly credentials: Credentials;
  readonly agentStates: AgentStates;

  constructor(
    private readonly link: WorkerLink,
    private readonly clock: Clock,
  ) {
    this.credentials = new DurableCredentials((name, input) => link.call(name, input));
    this.agentStates = new DurableAgentStates((name, input) => link.call(name, input));
  }

  async list(states: readonly OutboxItem['state'][], limit: number): Promise<readonly OutboxItem[]> {
    return readableItems(await this.link.call('list', { states, limit }));
  }
  async resend(seqs: readonly number[]): Promise<readonly OutboxItem[]> {
    return readableItems(await this.link.call('resend', { seqs, now: this.clock.wall() }));
  }
  async drop(seqs: readonly number[]): Promise<readonly OutboxItem[]> {
    return readableItems(await this.link.call('drop', seqs));
  }
  async handIn(posts: readonly NewOutboxItem[]): Promise<readonly OutboxItem[]> {
    const now = this.clock.wall();
    return readableItems(
      await this.link.call(
        'handIn',
        posts.map((post) => postRow(post, 0, now, true)),
      ),
    );
  }
  async knowledge(callIds: readonly CallId[]): Promise<readonly CallKnowledge[]> {
    return knowledgeOf(callIds, await this.link.call('knowledge', callIds));
  }
  close(): Promise<void> {
    return this.link.close(GOODBYE_MS);
  }
}
