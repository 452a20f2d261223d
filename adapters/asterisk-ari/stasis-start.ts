import { isDialled } from '../../src/pbx/gate-words.js';
import { object, text, type AriEvent, type JsonObject } from './event.js';

/**
 * What a channel brings along that waits in `Stasis(APP,users=100,101,queue=sales)`. Asterisk cuts the arguments at their commas;
 * one without a name belongs to the one before. `&` does as well as a comma (and passes through a Gosub, which a comma does not).
 */
export interface StasisStart {
  /** The Uniqueid. */
  readonly id: string;
  /** `PJSIP/trunk-000000c2`. */
  readonly channel: string;
  /** The number it shows; undefined: there is none. */
  readonly from: string | undefined;
  /** Where the dialplan is; undefined where that is no number but a place of its own (`s`). */
  readonly extension: string | undefined;
  /** It is a phone that a bridge has rung for a click, and no call of the dialplan's. */
  readonly clicked: boolean;
  /** `users`, `queue`, `number`: as written. The first of a name counts. */
  readonly args: ReadonlyMap<string, string>;
}

/** The argument with which phones wait that a bridge has rung for a click. */
export const CLICKED = 'click';

/** An Asterisk gives a channel's id 150 characters at most, and its name 80. */
const LONGEST_ID = 150;
const MOST_ARGS = 256;
/** Of all arguments together, in characters: a line of a dialplan has 8,192 at most. */
const LONGEST_ARGS = 16 * 1024;
const NOBODY = new Set(['', 'unknown', '<unknown>']);

/** Undefined when it is no StasisStart of that application, or one without a channel. */
export function readStasisStart({ type, fields }: AriEvent, app: string): StasisStart | undefined {
  if (type !== 'StasisStart' || text(fields, 'application') !== app) return undefined;
  const channel = object(fields, 'channel');
  const id = text(channel, 'id');
  const name = text(channel, 'name');
  if (id === undefined || id === '' || id.length > LONGEST_ID || name === undefined || name === '') return undefined;
  const extension = text(object(channel, 'dialplan'), 'exten') ?? '';
  return {
    id,
    channel: name,
    from: known(text(object(channel, 'caller'), 'number')),
    extension: isDialled(extension) ? extension : undefined,
    clicked: Array.isArray(fields['args']) && isClick(fields['args']),
    args: argsOf(fields['args']),
  };
}

/** The id of the channel that a StasisEnd of that application names. */
export const readStasisEnd = ({ type, fields }: AriEvent, app: string): string | undefined =>
  type === 'StasisEnd' && text(fields, 'application') === app ? text(object(fields, 'channel'), 'id') : undefined;

export interface WaitingChannel {
  readonly id: string;
  /** A phone that a bridge has rung for a click; no call of the dialplan's. */
  readonly clicked: boolean;
}

/** Of the channels that `GET /channels` lists: those that wait in that application. */
export const waitingIn = (channels: readonly JsonObject[], app: string): readonly WaitingChannel[] =>
  channels.flatMap((channel) => {
    const dialplan = object(channel, 'dialplan');
    const [name, ...args] = (text(dialplan, 'app_data') ?? '').split(',');
    const id = text(channel, 'id') ?? '';
    if (text(dialplan, 'app_name') !== 'Stasis' || name !== app || id === '') return [];
    return [{ id, clicked: isClick(args) }];
  });

const isClick = (args: readonly unknown[]): boolean => args.length === 1 && args[0] === CLICKED;

export const known = (text: string | undefined): string | undefined =>
  text === undefined || NOBODY.has(text.toLowerCase()) ? undefined : text;

function argsOf(given: unknown): ReadonlyMap<string, string> {
  const all = Array.isArray(given) ? given.filter((arg: unknown) => typeof arg === 'string') : [];
  const args = new Map<string, string>();
  let name: string | undefined;
  for (const piece of all.slice(0, MOST_ARGS).join(',').slice(0, LONGEST_ARGS).split(/[,&]/u).slice(0, MOST_ARGS)) {
    const named = /^\s*(?<name>[a-z]+)=(?<value>.*)$/su.exec(piece)?.groups;
    if (named !== undefined) {
      const next = named['name'] ?? '';
      name = args.has(next) ? undefined : next;
      if (name !== undefined) args.set(name, named['value'] ?? '');
    } else if (name !== undefined) args.set(name, `${args.get(name) ?? ''},${piece}`);
  }
  return args;
}
