import { asLegId, type LegId } from '../../src/call/vocabulary.js';
import { dialledNumber } from './channel-name.js';
import { CHANNEL_STATE, isNumber } from './channel-fields.js';
import type { Channel, StatusOrigin } from './channels.js';
import type { AsteriskEvent } from './event.js';

/** A Dial under way: who runs it, for whose story, and what it was told to dial. */
export interface Dial {
  readonly by: LegId;
  readonly linked: string | undefined;
  readonly data: string;
}

/** What an item of Status says about where its channel comes from. */
export function originOfStatus(message: AsteriskEvent): StatusOrigin {
  // Only a call that came in has a DNID; one that still rings in says so itself.
  const dnid = message.get('DNID') ?? '';
  if (message.get('ChannelState') === CHANNEL_STATE.ring || dnid !== '')
    return { origin: 'incoming', from: message.get('CallerIDNum'), dialled: dnid || message.get('Exten') };
  // All channels of one story carry the id of its first one.
  const linked = message.get('Linkedid');
  const first = linked === undefined || linked === message.get('Uniqueid');
  // CallerIDNum is the step of the dialplan that dialled it, most often the number; nothing of the kind where nobody did.
  const dialled = first ? undefined : message.get('CallerIDNum');
  const dialledBy = first ? 'nobody' : asLegId(linked);
  return { origin: 'outgoing', from: message.get('ConnectedLineNum'), dialled, dialledBy };
}

/** A channel that was made this very moment: the DialBegin to come says it better. */
export function isBeingMade(message: AsteriskEvent, origin: StatusOrigin): boolean {
  const state = message.get('ChannelState');
  if (state === CHANNEL_STATE.down) return true;
  return (
    state !== CHANNEL_STATE.up &&
    origin.origin === 'outgoing' &&
    origin.dialledBy !== 'nobody' &&
    !isNumber(origin.dialled)
  );
}

export function dialOfStatus(message: AsteriskEvent): Dial | undefined {
  if (message.get('Application') !== 'Dial') return undefined;
  return {
    by: asLegId(message.get('Uniqueid') ?? ''),
    linked: message.get('Linkedid'),
    data: message.get('Data') ?? '',
  };
}

/** The Dials under way, found by the story that they belong to. */
export class Dials {
  readonly #byStory = new Map<string | undefined, Dial[]>();

  add(dial: Dial): void {
    const others = this.#byStory.get(dial.linked);
    if (others === undefined) this.#byStory.set(dial.linked, [dial]);
    else others.push(dial);
  }

  /** Which of them asked this channel's endpoint for a number, and for which: `PJSIP/030…@trunk,30,T&…`. */
  of({ linked, name }: Channel): { readonly by: LegId; readonly number: string } | undefined {
    for (const dial of this.#byStory.get(linked) ?? []) {
      for (const target of (dial.data.split(',')[0] ?? '').split('&')) {
        const [tech = '', ...rest] = target.split(/[/@]/);
        if (tech.toLowerCase() !== name.tech.toLowerCase() || !rest.includes(name.name)) continue;
        const number = dialledNumber(target.slice(tech.length + 1));
        if (number !== undefined) return { by: dial.by, number };
      }
    }
    return undefined;
  }
}
