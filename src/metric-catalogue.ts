/**
 * Every metric, for docs/metrics.md, which is generated from this table (`npm run docs`). `npm run check:docs` fails when a name
 * that the source counts is missing here, or one of these is counted nowhere. What an adapter counts as `events` is called
 * `pbx_events_total`. One line each, in the order of the alphabet.
 */
export interface MetricEntry {
  readonly kind: 'counter' | 'gauge';
  readonly labels: readonly string[];
  readonly meaning: string;
}

const counter = (labels: readonly string[], meaning: string): MetricEntry => ({ kind: 'counter', labels, meaning });
const gauge = (labels: readonly string[], meaning: string): MetricEntry => ({ kind: 'gauge', labels, meaning });

// biome-ignore format: one line an entry keeps the table readable and its merges small
export const METRIC_CATALOGUE: Readonly<Record<string, MetricEntry>> = {
  agent_state_changes_total: counter(['by'], 'Times an agent became available or undisturbed; `by` is api, page, cli or pbx.'),
  agents_undisturbed: gauge([], 'Agents who do not wish to be disturbed.'),
  api_refused_total: counter(['why'], 'Requests of agents that were turned away; `why` is transport (no TLS), origin (a page of another address), token (missing, unknown, revoked), csrf or store (tokens cannot be read now).'),
  dial_calls_total: counter(['outcome'], 'Click-to-call: what became of the calls that agents wanted; `outcome` is taken, or why not: busy, declined, no-answer, not-registered, bad-number, too-often, …'),
  event_loop_stall_seconds_max: gauge([], 'The longest time in which the program did nothing but one thing since this was last asked for, in seconds. Told too short by up to 0.005.'),
  gate_decisions_total: counter(['outcome'], 'Calls that waited at a gate; `outcome` is continue, reject, dial, timeout (Zammad said nothing within the budget), remembered (rejected from memory while Zammad was silent), pass (nothing to ask), emergency (never asked) or fault.'),
  gate_late_replies_total: counter(['kind'], 'Replies that came after the PBX had been answered; `kind` is reject or dial.'),
  gate_missing_total: counter(['pbx'], 'Caller ids that Zammad named for calls that had not waited at a gate: they could not be set.'),
  pbx_events_total: counter(['pbx'], 'Events of the PBX that were understood.'),
  pbx_gate_refused_total: counter(['pbx'], 'Requests at the gate that were refused: an address that may not, no request for the gate, no phone and no trunk, or too many at one time. Those calls go on unasked.'),
  pbx_gate_requests_total: counter(['pbx'], 'Requests of the dialplan at the gate.'),
  pbx_questions_skipped_total: counter(['pbx'], 'Questions that were not asked of the PBX because it did not keep up.'),
  posts_lost_total: counter(['zammad'], 'Posts that the outbox refused and that are lost.'),
  store_commit_seconds_total: counter([], 'Time that commits took, in seconds.'),
  store_commits_total: counter(['where'], 'Commits of the store; `where` is database, spill (the emergency journal) or nowhere (only in memory as yet).'),
  store_discarded_rows_total: counter(['pbx'], 'Rows that were not written because another bridge led the PBX by then.'),
  store_salvages_total: counter([], 'Damaged database files that were set aside.'),
  store_state: gauge(['kind'], '0 = ok, 1 = writes go to the emergency journal, 2 = only in memory, 3 = PostgreSQL cannot be used.'),
  store_unreadable_calls_total: counter(['pbx'], 'Calls of which what was kept was damaged when it was read.'),
  store_unwritten_rows: gauge([], 'Rows not yet on the disk.'),
  store_worker_restarts_total: counter([], "Times the store's worker thread had to be started again."),
  zammad_dead_total: counter(['zammad', 'event'], 'Posts given up: too old or refused.'),
  zammad_outbox_depth: gauge(['zammad'], 'Posts not yet delivered.'),
  zammad_outbox_failures_total: counter(['zammad', 'step'], 'Failures to write to the outbox; `step` is attempt or settle.'),
  zammad_outbox_oldest_seconds: gauge(['zammad'], 'Age of the oldest post not yet delivered, in seconds.'),
  zammad_posts_total: counter(['zammad', 'event', 'outcome'], 'Requests made to Zammad.'),
  zammad_read_backs_total: counter(['zammad', 'result'], "Looks into Zammad's caller log for a hangup whose outcome was unknown; `result` is delivered, lookAgain (not there yet), notProcessed, unknown, failed or denied."),
  zammad_reconciled_total: counter(['zammad', 'what'], "Found in Zammad's caller log and put right: `closed` = calls that rang or talked there for ever, `settled` = posts whose outcome was unknown."),
  zammad_recreated_total: counter(['zammad'], 'Calls that Zammad did not know any more and that were told again.'),
  zammad_replies_total: counter(['zammad', 'kind'], 'Replies to newCalls: none, reject, dial, odd.'),
  zammad_state: gauge(['zammad'], '0 = ok, 1 = down, 2 = held: wrong token, feature off or redirect.'),
  zammad_unknown_total: counter(['zammad', 'event'], 'Posts of which nobody can say whether Zammad took them.'),
};
