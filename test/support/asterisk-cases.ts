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

/** One folder of adapters/asterisk-ami/cases. */
export interface AsteriskCase {
  /** `asterisk-22/01-inbound-…` */
  readonly name: string;
  readonly directory: string;
  readonly truth: Truth;
  readonly trunks: readonly string[];
  readonly agents: readonly Agent[];
  /** The recorded bytes. */
  bytes(): Buffer;
  messages(): readonly TimedMessage[];
  /** expected.jsonl, line by line. */
  expected(): readonly string[];
}

const root = fileURLToPath(new URL('../../adapters/asterisk-ami/cases/', import.meta.url));

export const asteriskCases: readonly AsteriskCase[] = readdirSync(root)
  .sort()
  .flatMap((corpus) => readdirSync(`${root}${corpus}`).map((name) => `${corpus}/${name}`))
  .map((name) => caseOf(name, `${root}${name}`));

function caseOf(name: string, directory: string): AsteriskCase {
  const truth = JSON.parse(readFileSync(`${directory}/truth.json`, 'utf8')) as Truth;
  const more = (truth.agents ?? []).map(
    (agent): Agent => ({ extension: '', name: '', devices: [], phones: [], ...agent }),
  );
  const agents = [
    ...LAB_AGENTS.filter(({ extension }) => more.every((agent) => agent.extension !== extension)),
    ...more,
  ];
  const bytes = (): Buffer => readFileSync(`${directory}/input.ami`);
  return {
    name,
    directory,
    truth,
    trunks: truth.trunks ?? ['trunk'],
    agents,
    bytes,
    messages: () => readAsteriskRecording(bytes()),
    expected: () => {
      const file = `${directory}/expected.jsonl`;
      if (!existsSync(file)) return [];
      return readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '');
    },
  };
}
