/** What is done to a bridge and its neighbours. */
export const FAULT_KINDS = [
  'kill -9',
  'SIGTERM',
  'PBX cut',
  'PBX half-open',
  'Zammad down',
  'Zammad slow',
  'Zammad 500',
  'Zammad 500 after the save',
  'reset after sending',
  'reset after the save',
  'database locked',
  'disk full',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** How often each comes, among all. */
export const WEIGHTS: Readonly<Record<FaultKind, number>> = {
  'kill -9': 40,
  SIGTERM: 6,
  'PBX cut': 10,
  'PBX half-open': 2,
  'Zammad down': 8,
  'Zammad slow': 3,
  'Zammad 500': 6,
  'Zammad 500 after the save': 5,
  'reset after sending': 6,
  'reset after the save': 5,
  'database locked': 7,
  'disk full': 5,
};

/** Groups, for `--faults`. */
export const FAULT_GROUPS: Readonly<Record<string, readonly FaultKind[]>> = {
  kill: ['kill -9'],
  stop: ['SIGTERM'],
  pbx: ['PBX cut', 'PBX half-open'],
  zammad: [
    'Zammad down',
    'Zammad slow',
    'Zammad 500',
    'Zammad 500 after the save',
    'reset after sending',
    'reset after the save',
  ],
  store: ['database locked', 'disk full'],
};

/** One fault that was done: for the report of what went wrong. */
export interface DoneFault {
  readonly kind: FaultKind | 'SIGSTOP' | 'database restart';
  readonly at: number;
  readonly until: number;
}
