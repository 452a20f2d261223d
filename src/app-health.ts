import type { PbxName } from './call/vocabulary.js';
import type { Clock } from './clock.js';
import type { Config } from './config/model.js';
import type { HealthProblem, HealthReport, PbxHealth } from './http/health.js';
import type { LeadState } from './leads.js';
import type { PbxLine } from './pbx/pbx-line.js';
import type { StoreState } from './store/store.js';
import type { Dispatcher } from './zammad/dispatcher.js';

export interface HealthSources {
  readonly config: Config;
  readonly clock: Clock;
  readonly dispatcher: Pick<Dispatcher, 'state'>;
  readonly line: (pbx: PbxName) => PbxLine | undefined;
  readonly lead: (pbx: PbxName) => LeadState;
  readonly store: () => StoreState;
  /** Known since the start. */
  readonly problems: readonly HealthProblem[];
  /** Monotonic ms. */
  readonly startedAt: number;
}

/** How the bridge is, from all its rooms. */
export function healthReport(sources: HealthSources): HealthReport {
  const { config, dispatcher, store, problems } = sources;
  const state = store();
  return {
    pbx: config.pbx.map(({ name }) => pbxHealth(name, sources)),
    zammad: config.zammad.map(({ name }) => {
      const { state, known, reason, depth, oldestAge } = dispatcher.state(name);
      return { name, state: known ? state : 'connecting', reason, waiting: depth, oldestMs: oldestAge ?? 0 };
    }),
    problems: [...problems, ...storeProblem(state)],
  };
}

function pbxHealth(name: PbxName, { clock, line, lead, startedAt }: HealthSources): PbxHealth {
  const toWall = (monotonic: number): number => Math.round(clock.wall() - (clock.monotonic() - monotonic));
  const led = lead(name);
  if (led.state === 'standby') {
    const where = led.by.address === undefined ? '' : ` (${led.by.address})`;
    return { name, state: 'standby', reason: `led by ${led.by.holder}${where}`, since: toWall(startedAt) };
  }
  const state = line(name)?.state;
  if (led.state === 'waiting' || state === undefined)
    return {
      name,
      state: 'connecting',
      reason: led.state === 'waiting' ? led.reason : undefined,
      since: toWall(startedAt),
    };
  return { name, state: state.state, reason: state.reason, mend: state.mend, since: toWall(state.since) };
}

function storeProblem(state: StoreState): readonly HealthProblem[] {
  switch (state.state) {
    case 'ok':
      return [];
    case 'spilling':
      return [
        {
          code: 'ZPB_STORE_SPILLING',
          severity: 'warning',
          message: `The store file takes no writes (${state.reason}); they go to the emergency journal beside it`,
        },
      ];
    case 'memory':
      return [
        {
          code: 'ZPB_STORE_UNAVAILABLE',
          severity: 'error',
          message: `The store cannot be written (${state.reason}): calls and posts live in memory, and a crash would lose them. Mend the disk`,
        },
      ];
    case 'gone':
      return [
        {
          code: 'ZPB_STORE_GONE',
          severity: 'error',
          message: `The database of the store cannot be reached (${state.reason}): nothing is sent until it is back`,
        },
      ];
  }
}
