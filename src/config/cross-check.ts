import { createNumbers } from '../call/numbers.js';
import type { Did, Filter } from '../call/settings.js';
import { asPbxName } from '../call/vocabulary.js';
import type { PbxIdentity } from '../pbx/adapter.js';
import type { Entries } from './load-context.js';
import type { AgentConfig, ZammadConfig } from './model.js';
import type { PbxEntry } from './pbx-entries.js';
import type { Path } from './problems.js';
import { suggestion } from './suggest.js';

interface Parts {
  readonly zammad: Entries<ZammadConfig>;
  readonly pbx: Entries<PbxEntry>;
  readonly agents: Entries<AgentConfig>;
  readonly dids: Entries<Did>;
  readonly country: string;
}
type Tell = (path: Path, text: string) => void;

/** Checks what one entry alone cannot show: names that must be unique, and names that must exist. */
export function crossCheck(parts: Parts, problem: Tell): void {
  checkUnique(parts, problem);
  checkReferences(parts, problem);
}

/** Tells every value that another place has already. */
function createUnique(what: string, problem: Tell): (value: string, path: Path, owner: string) => void {
  const seen = new Map<string, string>();
  return (value, path, owner) => {
    const first = seen.get(value);
    if (first === undefined) seen.set(value, owner);
    else problem(path, `is the same as in ${first}; ${what}`);
  };
}

/** Tells every entry that means the PBX of another one. */
function createOnePbx(problem: Tell): (identity: PbxIdentity, path: Path, owner: string) => void {
  const seen: { readonly identity: PbxIdentity; readonly owner: string }[] = [];
  return (identity, path, owner) => {
    const first = seen.find((other) => isOnePbx(other.identity, identity));
    seen.push({ identity, owner });
    if (first === undefined) return;
    const over = [first.identity, identity].map((one) => (typeof one === 'string' ? '' : one.over));
    const twice = over[0] === over[1] ? '' : ` (${over.join(' and ')} of one machine)`;
    problem(
      path,
      `is the same as in ${first.owner}${twice}; one PBX is listened to by one entry, or each of its calls would be told twice; remove one`,
    );
  };
}

const isOnePbx = (one: PbxIdentity, other: PbxIdentity): boolean =>
  typeof one === 'string' || typeof other === 'string'
    ? one === other
    : one.pbx === other.pbx && (one.over !== other.over || one.port === other.port);

function checkUnique({ zammad, pbx, agents, dids, country }: Parts, problem: Tell): void {
  const zammadName = createUnique('each Zammad needs a name of its own', problem);
  for (const [index, entry] of zammad.entries()) {
    if (entry) zammadName(entry.name, ['zammad', index, 'name'], `zammad[${index}]`);
  }
  const pbxName = createUnique('each PBX needs a name of its own', problem);
  const identity = createOnePbx(problem);
  for (const [index, entry] of pbx.entries()) {
    if (!entry) continue;
    pbxName(entry.name, ['pbx', index, 'name'], `pbx[${index}]`);
    if (entry.identity !== undefined) identity(entry.identity, ['pbx', index], `pbx[${index}]`);
  }
  const extension = createUnique('an extension belongs to one agent', problem);
  const device = createUnique('a device belongs to one agent', problem);
  const phone = createUnique('a phone belongs to one agent', problem);
  for (const [index, agent] of agents.entries()) {
    if (!agent) continue;
    const owner = `agents[${index}]`;
    extension(agent.extension, ['agents', index, 'extension'], owner);
    // PBXs do not tell PJSIP/Alice from PJSIP/alice in every event.
    agent.devices.forEach((name, at) => {
      device(name.toLowerCase(), ['agents', index, 'devices', at], owner);
    });
    agent.phones.forEach((number, at) => {
      phone(number, ['agents', index, 'phones', at], owner);
    });
  }
  const numbers = createNumbers(country, () => false);
  const did = createUnique('a number is listed once', problem);
  for (const [index, entry] of dids.entries()) {
    if (entry) did(numbers.clean(entry.number) ?? entry.number, ['dids', index, 'number'], `dids[${index}]`);
  }
}

function checkReferences({ zammad, pbx, agents, dids }: Parts, problem: Tell): void {
  // An entry that could not be read may be the very one that is named: then nothing is said.
  const extensions = agents.includes(undefined) ? undefined : agents.flatMap((agent) => agent?.extension ?? []);
  const pbxNames = pbx.includes(undefined) ? undefined : pbx.flatMap((entry) => entry?.name ?? []);
  const exist = (
    names: readonly string[] | undefined,
    known: readonly string[] | undefined,
    path: Path,
    what: string,
  ): void => {
    if (known === undefined) return;
    names?.forEach((name, at) => {
      if (!known.includes(name)) problem([...path, at], `there is no ${what} "${name}"${suggestion(name, known)}`);
    });
  };
  const filter = (value: Filter | undefined, path: Path): void => {
    exist(value?.pbx, pbxNames, [...path, 'filter', 'pbx'], 'PBX');
    exist(value?.agents, extensions, [...path, 'filter', 'agents'], 'agent with the extension');
  };
  zammad.forEach((entry, index) => {
    filter(entry?.filter, ['zammad', index]);
  });
  pbx.forEach((entry, index) => {
    filter(entry?.filter, ['pbx', index]);
  });
  agents.forEach((entry, index) => {
    if (entry?.pbx !== undefined && pbxNames?.includes(asPbxName(entry.pbx)) === false)
      problem(['agents', index, 'pbx'], `there is no PBX "${entry.pbx}"${suggestion(entry.pbx, pbxNames)}`);
  });
  dids.forEach((entry, index) => {
    exist(entry?.agents, extensions, ['dids', index, 'agents'], 'agent with the extension');
  });
}
