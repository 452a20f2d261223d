/**
 * What the bridge knows about its own health, in words an admin can act on. Pure: who asks and how it is shown is the
 * business of the routes.
 */

export interface PbxHealth {
  readonly name: string;
  /**
   * `hearing`: its events arrive. `connecting`: being connected, for the first time or again. `deaf`: it cannot be heard.
   * `standby`: another bridge leads it, and this one would take over.
   */
  readonly state: 'hearing' | 'connecting' | 'deaf' | 'standby';
  /** Why, and what to do; never a secret. */
  readonly reason?: string | undefined;
  /** What to do, where that is known apart from the reason. */
  readonly mend?: string | undefined;
  /** Wall clock, ms since 1970, at which it came into this state. */
  readonly since: number;
}

export interface ZammadHealth {
  readonly name: string;
  /**
   * `ok`: takes posts. `connecting`: its first answer is awaited. `down`: cannot be reached now, tried again by itself.
   * `held`: a person must mend something first.
   */
  readonly state: 'ok' | 'connecting' | 'down' | 'held';
  readonly reason?: string | undefined;
  /** Posts not yet delivered. */
  readonly waiting: number;
  /** Age of the oldest of them, ms; 0 when none waits. */
  readonly oldestMs: number;
}

/** Something that belongs to no single PBX or Zammad. */
export interface HealthProblem {
  /** A code of docs/errors.md. */
  readonly code: string;
  /** What happened, to what, what to do; never a secret. */
  readonly message: string;
  /** An `error` makes the bridge not ready; a `warning` is only shown. */
  readonly severity: 'error' | 'warning';
}

export interface HealthReport {
  readonly pbx: readonly PbxHealth[];
  readonly zammad: readonly ZammadHealth[];
  readonly problems: readonly HealthProblem[];
}

/** The body of `/readyz`. Times are ISO 8601. */
export interface Readiness {
  readonly status: 'ready' | 'not ready';
  readonly version: string;
  /** One line for each thing that is wrong; empty when ready. */
  readonly because: readonly string[];
  /** One line for each thing that works, but not as it should: a PBX that is heard, whose login may not ask everything. */
  readonly notes: readonly string[];
  readonly pbx: readonly (Omit<PbxHealth, 'since'> & { readonly since: string })[];
  readonly zammad: readonly ZammadHealth[];
  readonly problems: readonly HealthProblem[];
}

/** Reasons are sentences; a longer one is a mistake of its author and must not make the page grow. */
const MAX_REASON = 500;

const well = (state: PbxHealth['state']): boolean => state === 'hearing' || state === 'standby';
const cut = (text: string): string => (text.length > MAX_REASON ? `${text.slice(0, MAX_REASON - 1)}…` : text);
const withReason = (text: string, reason: string | undefined): string =>
  reason === undefined ? text : `${text}: ${cut(reason)}`;

const withMend = (text: string, mend: string | undefined): string =>
  mend === undefined ? text : `${text}. ${cut(mend)}`;

/** Ready = every PBX is heard (or led by another bridge), every Zammad takes posts, and no error stands. */
export function readiness(report: HealthReport, version: string): Readiness {
  const because = [
    ...report.pbx
      .filter(({ state }) => !well(state))
      .map((pbx) => withMend(withReason(`PBX ${pbx.name} is ${pbx.state}`, pbx.reason), pbx.mend)),
    ...report.zammad
      .filter((zammad) => zammad.state !== 'ok')
      .map((zammad) => withReason(`Zammad ${zammad.name} is ${zammad.state}, ${posts(zammad.waiting)}`, zammad.reason)),
    ...report.problems.filter((problem) => problem.severity === 'error').map((problem) => cut(problem.message)),
  ];
  return {
    status: because.length === 0 ? 'ready' : 'not ready',
    version,
    because,
    notes: report.pbx.flatMap(({ name, state, reason }) =>
      well(state) && reason !== undefined ? [`PBX ${name}: ${cut(reason)}`] : [],
    ),
    pbx: report.pbx.map(({ name, state, reason, mend, since }) => ({
      name,
      state,
      ...(reason !== undefined && { reason: cut(reason) }),
      ...(mend !== undefined && { mend: cut(mend) }),
      since: new Date(since).toISOString(),
    })),
    zammad: report.zammad.map(({ name, state, reason, waiting, oldestMs }) => ({
      name,
      state,
      ...(reason !== undefined && { reason: cut(reason) }),
      waiting,
      oldestMs,
    })),
    problems: report.problems.map(({ code, message, severity }) => ({ code, message: cut(message), severity })),
  };
}

const posts = (waiting: number): string => (waiting === 1 ? '1 post waits' : `${waiting} posts wait`);
