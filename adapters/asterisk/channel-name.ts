import type { Line } from '../../src/call/vocabulary.js';

/** The parts of `TECH/NAME-0000001a` or `Local/NAME@CONTEXT-0000001a;1`. */
export interface ChannelName {
  readonly tech: string;
  readonly name: string;
  /** `TECH/NAME`, what the dialplan calls the device. */
  readonly device: string;
  /** Which half of a Local channel. */
  readonly half?: 1 | 2;
}

/** Channels that Asterisk makes for itself: announcers, recorders, spies, and the ends of bridges. */
const OWN = new Set([
  'announcer',
  'asyncgoto',
  'bridge',
  'cbann',
  'cbrec',
  'message',
  'multicastrtp',
  'parked',
  'recorder',
  'snoop',
  'surrogate',
  'unicastrtp',
]);

export function parseChannelName(channel: string): ChannelName {
  const slash = channel.indexOf('/');
  const tech = slash < 0 ? channel : channel.slice(0, slash);
  const rest = slash < 0 ? '' : channel.slice(slash + 1);
  const local = /^(.*)-[0-9a-f]+;([12])$/i.exec(rest);
  const name = local?.[1] ?? ownName(tech, rest.replace(/-[0-9a-f]+$/i, ''));
  return { tech, name, device: `${tech}/${name}`, ...(local === null ? {} : { half: local[2] === '1' ? 1 : 2 }) };
}

/** DAHDI says `i1/03012345678` (span and number) where others say just whose channel it is. */
const ownName = (tech: string, name: string): string =>
  tech.toLowerCase() === 'dahdi' ? (name.split('/')[0] ?? name) : name;

/** The name of the other half of a Local channel. */
export const otherHalf = (channel: string): string =>
  channel.replace(/;([12])$/, (_, half: string) => (half === '1' ? ';2' : ';1'));

/** A test for `trunks:` patterns: endpoint names or `TECH/NAME`, `*` stands for anything. Compared without regard to case. */
export function trunkMatcher(patterns: readonly string[]): (name: ChannelName) => boolean {
  const tests = patterns.map((pattern) => {
    const source = pattern
      .split('*')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*');
    return { whole: pattern.includes('/'), test: new RegExp(`^${source}$`, 'i') };
  });
  return ({ name, device }) => tests.some(({ whole, test }) => test.test(whole ? device : name));
}

export function lineOf(name: ChannelName, isTrunk: (name: ChannelName) => boolean): Line {
  if (name.half !== undefined || name.tech.toLowerCase() === 'local') return { kind: 'virtual' };
  if (OWN.has(name.tech.toLowerCase())) return { kind: 'pbx' };
  if (isTrunk(name)) return { kind: 'trunk', name: name.name };
  return { kind: 'agent', extension: name.name, device: name.device };
}

/**
 * The number that a Dial asked a trunk for: `03012345678@trunk`, `trunk/sip:030…@host`, `g1/030…`, `user:secret@peer/030…`.
 * undefined: there is no number in it.
 */
export function dialledNumber(dialString: string | undefined): string | undefined {
  const parts = (dialString ?? '').split('/').map((part) => (part.split(/[@;]/)[0] ?? '').replace(/^sips?:|^w+/i, ''));
  return parts.reverse().find((part) => /^\+?[\d*#]{2,}$/.test(part));
}
