import convict from 'convict';
import { parseDuration } from './duration.js';
import { HTTP_SCALARS } from './http-scalars.js';
import { isCountry } from '../call/numbers.js';
import type { Path } from './problems.js';
import { isTreeMap, type Tree, type TreeMap } from './yaml-source.js';
import { suggestion } from './suggest.js';
import { wordTrouble, type WordKind } from './word-kinds.js';

/** How one scalar setting is written. */
export type ScalarKind =
  | 'country'
  | 'duration'
  | 'port'
  | 'count'
  | 'text'
  | 'boolean'
  | 'secret'
  | WordKind
  | readonly string[];

export interface ScalarSetting {
  readonly doc: string;
  readonly default: string | number | boolean;
  readonly kind: ScalarKind;
  readonly env: string;
  /** A duration: the shortest and the longest that make sense. */
  readonly least?: string;
  readonly most?: string;
  /** May also stand under `calls` of one `pbx` entry. */
  readonly perPbx?: boolean;
  /** Stands commented out in default.yaml: to write it says more than its default does. */
  readonly chosen?: boolean;
}

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;
const NEW_CALL = ['ringing', 'arrival'] as const;
const REJECTED = ['busy', 'forwarded'] as const;
const WRITTEN = ['national', 'international', 'e164'] as const;
const DURABILITY = ['full', 'normal'] as const;

/** Every setting that is one value, in the order of default.yaml. */
export const SCALARS = {
  numbers: {
    country: {
      doc: 'Country (ISO 3166, two capitals) by which national numbers are read. Zammad itself takes them for German.',
      default: 'DE',
      kind: 'country',
      env: 'ZPB_NUMBERS_COUNTRY',
    },
  },
  calls: {
    newCall: {
      doc: "When an inbound call is told to Zammad: `ringing` = when the first agent's phone is called, `arrival` = at once; where a gate is configured, after 250 ms in which it may ask.",
      default: 'ringing',
      kind: NEW_CALL,
      env: 'ZPB_CALLS_NEW_CALL',
      perPbx: true,
    },
    answerAgain: {
      doc: 'Tell Zammad again who talks when a call is with another agent (transfer, pick-up, parking).',
      default: true,
      kind: 'boolean',
      env: 'ZPB_CALLS_ANSWER_AGAIN',
      perPbx: true,
    },
    sendQueue: {
      doc: "Send the PBX's own queue name with a call when no `dids` entry names one.",
      default: false,
      kind: 'boolean',
      env: 'ZPB_CALLS_SEND_QUEUE',
      perPbx: true,
    },
    reportConsultations: {
      doc: 'Tell Zammad the calls that an agent makes to an outside number while a customer is on hold.',
      default: true,
      kind: 'boolean',
      env: 'ZPB_CALLS_REPORT_CONSULTATIONS',
      perPbx: true,
    },
    maxSilence: {
      doc: 'The calls of a PBX that has said nothing for so long are closed.',
      default: '4h',
      kind: 'duration',
      least: '1m',
      env: 'ZPB_CALLS_MAX_SILENCE',
      perPbx: true,
    },
  },
  delivery: {
    timeout: {
      doc: 'Deadline of one request to Zammad. A hangup whose outcome is unknown is not sent again before it.',
      default: '10s',
      kind: 'duration',
      least: '100ms',
      env: 'ZPB_DELIVERY_TIMEOUT',
    },
    parallel: {
      doc: 'Calls that are told to one Zammad side by side. The posts of one call always go one after the other.',
      default: 4,
      kind: 'count',
      env: 'ZPB_DELIVERY_PARALLEL',
    },
    maxAge: {
      doc: 'What could not be delivered for so long is given up: logged, counted, listed, and not sent any more by itself.',
      default: '24h',
      kind: 'duration',
      least: '1m',
      env: 'ZPB_DELIVERY_MAX_AGE',
    },
    drain: {
      doc: 'How long a planned stop goes on delivering. Keep it below the stop time-out of systemd (90 s) or Docker (10 s).',
      default: '8s',
      kind: 'duration',
      env: 'ZPB_DELIVERY_DRAIN',
    },
  },
  store: {
    path: {
      doc: 'File that holds the calls in progress and the posts not yet delivered (SQLite). A relative path starts at the directory of the configuration file. Without it, the folder is the one that systemd gives (`$STATE_DIRECTORY`), if it does. `memory` = no file: a restart in mid-call forgets what was not delivered.',
      default: '/var/lib/zammad-pbx-bridge/bridge.sqlite',
      kind: 'text',
      env: 'ZPB_STORE_PATH',
      chosen: true,
    },
    url: {
      doc: 'Instead of the file, a PostgreSQL database, which several bridges may share: `postgres://USER:PASSWORD@HOST/DATABASE`.',
      default: '',
      kind: 'secret',
      env: 'ZPB_STORE_URL',
      chosen: true,
    },
    durability: {
      doc: '`full` = what was committed survives a power cut; each commit waits for the disk. `normal` = it survives whatever happens to the bridge, but a power cut or a crash of the system may take the last moments with it. The price of `full`, measured with better-sqlite3 12 on two shared cores: 0.28 ms a commit (median) instead of 0.03 ms.',
      default: 'full',
      kind: DURABILITY,
      env: 'ZPB_STORE_DURABILITY',
    },
    keep: {
      doc: 'How long a post is kept after it was delivered, and a call after its end; a post that was given up or whose outcome is unknown is kept four times as long. They hold phone numbers and names.',
      default: '7d',
      kind: 'duration',
      least: '1h',
      env: 'ZPB_STORE_KEEP',
    },
    machine: {
      doc: 'What this machine is called in the list of those that lead a PBX, and in `/readyz`. Bridges on different machines must not share a name. Without it: the host name.',
      default: '',
      kind: 'text',
      env: 'ZPB_STORE_MACHINE',
      chosen: true,
    },
  },
  gate: {
    budget: {
      doc: 'A PBX that waits at its gate is answered within this, whatever Zammad does. No reply in time = the call goes on.',
      default: '500ms',
      kind: 'duration',
      least: '50ms',
      env: 'ZPB_GATE_BUDGET',
    },
    rejectedCause: {
      doc: 'The cause of the hangup that follows a reject. `busy`: the blocked call stays on the list of missed calls; `forwarded`: it is off the list.',
      default: 'busy',
      kind: REJECTED,
      env: 'ZPB_GATE_REJECTED_CAUSE',
    },
    remember: {
      doc: 'How long a number that Zammad has rejected is rejected also while Zammad does not answer. 0s = never.',
      default: '0s',
      kind: 'duration',
      env: 'ZPB_GATE_REMEMBER',
    },
    lateReject: {
      doc: 'A reject that comes after the budget, or where calls do not wait at a gate, still ends a call that is no older than this, if no agent has answered it.',
      default: '10s',
      kind: 'duration',
      env: 'ZPB_GATE_LATE_REJECT',
    },
    emergency: {
      doc: 'Numbers, with blanks between them, that are never asked about and never rejected.',
      default: '110 112 911 999 000 111 113 115 117 118 119 122 144 147 15 17 18',
      kind: 'text',
      env: 'ZPB_GATE_EMERGENCY',
    },
    outsideLine: {
      doc: 'What is dialled for an outside line, with blanks between: an emergency number behind one of these is one too.',
      default: '0 9',
      kind: 'text',
      env: 'ZPB_GATE_OUTSIDE_LINE',
    },
  },
  http: HTTP_SCALARS,
  dial: {
    allow: {
      doc: 'Click-to-call: only these numbers may be dialled; without any, all. With blanks between; `*` at the end stands for any digits: `+49* 1*`. Outside numbers with + and country code, inside ones as they are.',
      default: '',
      kind: 'patterns',
      env: 'ZPB_DIAL_ALLOW',
    },
    deny: {
      doc: 'Click-to-call: these numbers may not be dialled, also if `allow` has them: `+49900* +49137*`.',
      default: '',
      kind: 'patterns',
      env: 'ZPB_DIAL_DENY',
    },
    rate: {
      doc: 'Click-to-call: so many calls of one agent in a minute.',
      default: 10,
      kind: 'count',
      env: 'ZPB_DIAL_RATE',
    },
    ringFor: {
      doc: "Click-to-call: how long the agent's own phone rings.",
      default: '20s',
      kind: 'duration',
      least: '3s',
      most: '45s',
      env: 'ZPB_DIAL_RING_FOR',
    },
    written: {
      doc: 'Click-to-call: how an outside number is dialled. `national`: 030 123456, and 0033… abroad; `international`: 004930… for all; `e164`: +4930….',
      default: 'national',
      kind: WRITTEN,
      env: 'ZPB_DIAL_WRITTEN',
    },
    outsidePrefix: {
      doc: 'Click-to-call: what is dialled before an outside number for an outside line, such as 0. Most PBXs need none.',
      default: '',
      kind: 'prefix',
      env: 'ZPB_DIAL_OUTSIDE_PREFIX',
    },
  },
  log: {
    level: {
      doc: 'The least serious kind of line that is written to stderr.',
      default: 'info',
      kind: LEVELS,
      env: 'ZPB_LOG_LEVEL',
    },
    pretty: {
      doc: 'Lines for people to read instead of JSON.',
      default: false,
      kind: 'boolean',
      env: 'ZPB_LOG_PRETTY',
    },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, ScalarSetting>>>>;

export type Section = keyof typeof SCALARS;
type Value<Setting extends ScalarSetting> = Setting['kind'] extends readonly (infer Word)[]
  ? Word
  : Setting['kind'] extends 'boolean'
    ? boolean
    : Setting['kind'] extends 'port' | 'count'
      ? number
      : string;
/** The values as written: durations are still text. Secrets are read elsewhere. */
export type Scalars = {
  readonly [S in Section]: {
    readonly [K in keyof (typeof SCALARS)[S] as (typeof SCALARS)[S][K] extends { readonly kind: 'secret' }
      ? never
      : K]: (typeof SCALARS)[S][K] extends ScalarSetting ? Value<(typeof SCALARS)[S][K]> : never;
  };
};

export const SECTIONS = Object.keys(SCALARS) as readonly Section[];
export const settingsOf = (section: Section): Readonly<Record<string, ScalarSetting>> => SCALARS[section];
export const secretsOf = (section: Section): readonly string[] =>
  Object.entries(settingsOf(section)).flatMap(([key, { kind }]) => (kind === 'secret' ? [key] : []));

const WHOLE = /^\d{1,9}$/;

/** What is wrong with a value, with what to write instead; `undefined` = nothing. Texts count for what they spell. */
export function scalarTrouble(
  { kind, least, most }: Pick<ScalarSetting, 'kind' | 'least' | 'most'>,
  value: Tree,
): string | undefined {
  const text = typeof value === 'string' ? value : undefined;
  const number = typeof value === 'number' ? value : text !== undefined && WHOLE.test(text) ? Number(text) : undefined;
  if (typeof kind !== 'string')
    return text !== undefined && kind.includes(text) ? undefined : `must be one of ${kind.join(', ')}`;
  switch (kind) {
    case 'boolean':
      return typeof value === 'boolean' || text === 'true' || text === 'false' ? undefined : 'must be true or false';
    case 'country':
      return text !== undefined && isCountry(text)
        ? undefined
        : 'is not a country code; write two capitals as in ISO 3166, e.g. DE, AT, CH, FR, US';
    case 'duration': {
      const millis = text === undefined ? undefined : parseDuration(text);
      if (millis === undefined) {
        return 'must be a whole number with a unit (ms, s, m, h or d), at most 24d, e.g. 500ms, 30s or 4h';
      }
      if (millis < (parseDuration(least ?? '0s') ?? 0)) return `must be at least ${least ?? ''}`;
      return millis > (parseDuration(most ?? '24d') ?? 0) ? `must be at most ${most ?? ''}` : undefined;
    }
    case 'port':
      return number !== undefined && Number.isInteger(number) && number >= 0 && number <= 65_535
        ? undefined
        : 'must be a port: a whole number from 0 to 65535';
    case 'count':
      return number !== undefined && Number.isInteger(number) && number >= 1 && number <= 1000
        ? undefined
        : 'must be a whole number from 1 to 1000';
    case 'text':
      return text !== undefined && text.trim() !== '' ? undefined : 'must be text that is not empty';
    case 'secret':
      return text !== undefined ? undefined : 'is not of the form that is asked for';
    case 'addresses':
    case 'patterns':
    case 'prefix':
      return wordTrouble(kind, typeof value === 'number' ? String(value) : text);
  }
}

/** `outsidePrefix: 0`: what YAML takes for a number is digits here. */
const isDigits = (setting: ScalarSetting | undefined): boolean =>
  setting?.kind === 'prefix' || setting?.kind === 'patterns';

/** The keys of a section (or of a PBX's `calls`) that are right; the others are told. Secrets are left out. */
export function soundScalars(
  settings: Readonly<Record<string, ScalarSetting>>,
  tree: Tree | undefined,
  path: Path,
  problem: (path: Path, text: string) => void,
): TreeMap {
  const sound = Object.create(null) as Record<string, Tree>;
  if (tree === undefined || tree === null) return sound;
  if (!isTreeMap(tree)) {
    problem(path, `must be a group of settings: ${Object.keys(settings).join(', ')}`);
    return sound;
  }
  const known = Object.entries(settings).flatMap(([key, { kind }]) =>
    kind === 'secret' ? [key, `${key}File`] : [key],
  );
  for (const [key, value] of Object.entries(tree)) {
    const setting = Object.hasOwn(settings, key) ? settings[key] : undefined;
    const text =
      setting === undefined
        ? `is not a setting${suggestion(key, known) || `; known here: ${known.join(', ')}`}`
        : scalarTrouble(setting, value);
    if (text !== undefined) problem([...path, key], text);
    else if (setting?.kind !== 'secret')
      sound[key] = typeof value === 'number' && isDigits(setting) ? String(value) : value;
  }
  return sound;
}

/** Reads the sections that hold single values: the file's over the defaults, the environment's over both. */
export function readScalars(
  root: TreeMap,
  env: Readonly<Record<string, string | undefined>>,
  problem: (path: Path, text: string) => void,
): Scalars {
  const sound: Record<string, TreeMap> = {};
  const soundEnv: Record<string, string> = {};
  for (const section of SECTIONS) {
    sound[section] = soundScalars(settingsOf(section), root[section], [section], problem);
    for (const [key, setting] of Object.entries(settingsOf(section))) {
      if (setting.kind === 'secret') continue;
      const value = env[setting.env];
      if (value === undefined || value === '') continue;
      const text = scalarTrouble(setting, value);
      if (text === undefined) soundEnv[setting.env] = value;
      else problem([section, key], `${text} (it comes from the environment variable ${setting.env})`);
    }
  }
  // convict's own errors repeat values and its conversions are generous ("12abc" is 12), so it only gets what is sound.
  const schema = Object.fromEntries(
    SECTIONS.map((section) => [
      section,
      Object.fromEntries(
        Object.entries(settingsOf(section)).flatMap(([key, { doc, default: value, kind, env: name }]) =>
          kind === 'secret' ? [] : [[key, { doc, default: value, format: convictFormat(kind), env: name }]],
        ),
      ),
    ]),
  );
  const config = convict(schema, { env: soundEnv, args: [] });
  config.load(sound);
  config.validate({ allowed: 'strict' });
  return config.getProperties() as unknown as Scalars;
}

function convictFormat(kind: ScalarKind): string[] | 'port' | 'nat' | 'Boolean' | 'String' {
  if (typeof kind !== 'string') return [...kind];
  if (kind === 'port') return 'port';
  if (kind === 'count') return 'nat';
  return kind === 'boolean' ? 'Boolean' : 'String';
}
