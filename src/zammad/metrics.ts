/** Where the delivery side counts. The names are listed in docs/metrics.md; labels never hold numbers, names or tokens. */
export type MetricLabels = Readonly<Record<string, string>>;

export interface DeliveryMetrics {
  /** Adds `by` (default 1) to a counter. */
  count(name: DeliveryCounter, labels?: MetricLabels, by?: number): void;
  /** Sets a gauge. */
  gauge(name: DeliveryGauge, value: number, labels?: MetricLabels): void;
}

export type DeliveryCounter =
  /** Requests made, by `zammad`, `event` and `outcome` (the kinds of outcome.ts). */
  | 'zammad_posts_total'
  /** Replies to newCalls, by `zammad` and `kind`: none, reject, dial, odd. */
  | 'zammad_replies_total'
  /** Calls that Zammad did not know and that were told again, by `zammad`. */
  | 'zammad_recreated_total'
  /** Looks into Zammad's caller log for a hangup, by `zammad` and `result`. */
  | 'zammad_read_backs_total'
  /** What was found in Zammad's caller log and put right, by `zammad` and `what`: closed, settled. */
  | 'zammad_reconciled_total'
  /** Posts given up, by `zammad` and `event`. */
  | 'zammad_dead_total'
  /** Posts of which nobody can say whether Zammad took them, by `zammad` and `event`. */
  | 'zammad_unknown_total'
  /** Failures to write to the outbox, by `zammad` and `step`: attempt, settle. */
  | 'zammad_outbox_failures_total';

export type DeliveryGauge =
  /** Posts not yet delivered, by `zammad`. */
  | 'zammad_outbox_depth'
  /** Age of the oldest of them in seconds, by `zammad`. */
  | 'zammad_outbox_oldest_seconds'
  /** 0 = ok, 1 = down, 2 = held, by `zammad`. */
  | 'zammad_state';
