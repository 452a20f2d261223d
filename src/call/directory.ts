import { createNumbers, type Numbers } from './numbers.js';
import type { Agent, Did } from './settings.js';
import type { Line } from './vocabulary.js';

/** What a post says of a person. */
export interface AgentRef {
  /** `answeringNumber`. */
  readonly extension: string;
  /** `user`. */
  readonly name: string;
}

/** Who is who: agents by extension, device or outside phone; what is known about dialled numbers. */
export interface Directory {
  readonly numbers: Numbers;
  /** The person at a line; one that nobody configured is named by the extension's digits. */
  agentAt(line: Extract<Line, { kind: 'agent' }>): AgentRef;
  /** The person with that extension. */
  agent(extension: string): AgentRef;
  /** The agent whose outside phone (a mobile member of a ring group) has this number. */
  agentByPhone(number: string | undefined): AgentRef | undefined;
  did(number: string | undefined): Did | undefined;
}

export function createDirectory(agents: readonly Agent[], dids: readonly Did[], country: string): Directory {
  const byExtension = new Map(agents.map((agent) => [agent.extension, agent]));
  const numbers = createNumbers(country, (digits) => byExtension.has(digits));
  const byDevice = new Map(
    agents.flatMap((agent) => agent.devices.map((device) => [device.toLowerCase(), agent] as const)),
  );
  const byPhone = new Map(
    agents.flatMap((agent) => agent.phones.map((phone) => [numbers.clean(phone), agent] as const)),
  );
  const byDid = new Map(dids.map((did) => [numbers.clean(did.number), did] as const));

  const person = (agent: Agent | undefined, extension: string): AgentRef =>
    agent === undefined ? { extension, name: extension } : { extension: agent.extension, name: agent.name };
  return {
    numbers,
    agentAt: (line) =>
      person(byDevice.get(line.device.toLowerCase()) ?? byExtension.get(line.extension), line.extension),
    agent: (extension) => person(byExtension.get(extension), extension),
    agentByPhone(number) {
      const clean = numbers.clean(number);
      const agent = clean === undefined ? undefined : byPhone.get(clean);
      return agent === undefined ? undefined : person(agent, agent.extension);
    },
    did: (number) => byDid.get(numbers.clean(number)),
  };
}
