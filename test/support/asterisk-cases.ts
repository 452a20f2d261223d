import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Agent } from '../../src/call/settings.js';
import { LAB_AGENTS } from './asterisk-bench.js';
import { readAsteriskRecording, type TimedMessage } from './asterisk-recording.js';
import type { TrueCall } from './caller-log-judge.js';

/** truth.json: what truly happened, from the SIP side of the recorded calls. */
interface Truth {
  readonly what: string;
  /** Version of the PBX. */
  readonly pbx: string;
  /** Settings that this recording needs besides the lab's. */
  readonly trunks?: readonly string[];
  readonly agents?: readonly Partial<Agent>[];
  readonly calls: readonly TrueCall[];
}

/** One folder of the `cases` of an adapter for Asterisk. */
export interface RecordedCase {
  /** `asterisk-22/01-inbound-…` */
  readonly name: string;
  readonly directory: string;
  readonly truth: Truth;
  readonly trunks: readonly string[];
  readonly agents: readonly Agent[];
  /** The recorded bytes. */
  readonly bytes: () => Buffer;
  /** expected.jsonl, line by line. */
  readonly expected: () => readonly string[];
}

/** One of adapters/asterisk-ami. */
export interface AsteriskCase extends RecordedCase {
  readonly messages: () => readonly TimedMessage[];
}

export const asteriskCases: readonly AsteriskCase[] = recordedCases('asterisk-ami', 'input.ami').map((recorded) => ({
  ...recorded,
  messages: () => readAsteriskRecording(recorded.bytes()),
}));

/** The cases of an adapter; `input`: the name of the recordings. */
export function recordedCases(adapter: string, input: string): readonly RecordedCase[] {
  const root = fileURLToPath(new URL(`../../adapters/${adapter}/cases/`, import.meta.url));
  return readdirSync(root)
    .sort()
    .flatMap((corpus) => readdirSync(`${root}${corpus}`).map((name) => `${corpus}/${name}`))
    .map((name) => caseOf(name, `${root}${name}`, input));
}

function caseOf(name: string, directory: string, input: string): RecordedCase {
  const truth = JSON.parse(readFileSync(`${directory}/truth.json`, 'utf8')) as Truth;
  const more = (truth.agents ?? []).map(
    (agent): Agent => ({ extension: '', name: '', devices: [], phones: [], ...agent }),
  );
  const agents = [
    ...LAB_AGENTS.filter(({ extension }) => more.every((agent) => agent.extension !== extension)),
    ...more,
  ];
  const bytes = (): Buffer => readFileSync(`${directory}/${input}`);
  return {
    name,
    directory,
    truth,
    trunks: truth.trunks ?? ['trunk'],
    agents,
    bytes,
    expected: () => {
      const file = `${directory}/expected.jsonl`;
      if (!existsSync(file)) return [];
      return readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '');
    },
  };
}
