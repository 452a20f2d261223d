/** Posts of the outbox in words that a helpdesk's admin understands. */
import type { DeliveryState, OutboxItem } from '../store/outbox.js';
import { epochOf, numberOf, seqOf } from '../store/seq.js';

const NOBODY_NEEDED = 'Nothing: ';

/** `EPOCH.N`, short for the number that the store keeps. */
export const idOf = (seq: number): string => `${epochOf(seq)}.${numberOf(seq)}`;

/** Both forms; undefined for what is neither. */
export function seqIn(id: string): number | undefined {
  const [, epoch, n] = /^(\d{1,7})\.(\d{1,10})$/.exec(id) ?? [];
  const seq = n === undefined ? Number(/^\d{1,16}$/.exec(id)?.[0] ?? Number.NaN) : seqOf(Number(epoch), Number(n));
  return Number.isSafeInteger(seq) ? seq : undefined;
}

const UNITS: readonly (readonly [seconds: number, word: string])[] = [
  [86_400, 'days'],
  [3_600, 'h'],
  [60, 'min'],
];

/** `3 h`, `45 s`. */
export function ageWords(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const unit = UNITS.find(([size]) => seconds >= 2 * size);
  return unit === undefined ? `${seconds} s` : `${Math.floor(seconds / unit[0])} ${unit[1]}`;
}

export const customerOf = ({ post }: OutboxItem): string => (post.direction === 'in' ? post.from : post.to);

/** A second one takes a missed call off Zammad's list of missed calls, if the first one has arrived. */
export const isRiskyHangup = ({ state, post, repeatable }: OutboxItem): boolean =>
  state === 'unknown' && post.event === 'hangup' && !repeatable;

/** What the post's absence means, for one that surely is not in Zammad. */
const MISSING: Readonly<Record<OutboxItem['post']['event'], string>> = {
  newCall: 'The call is missing in Zammad.',
  answer: 'Zammad does not show who has answered the call.',
  hangup: 'Zammad goes on showing the call as ringing or connected, if it knows it.',
};

/** What a person should do about a post. */
export function advice(item: OutboxItem): string {
  const id = idOf(item.seq);
  const states: Readonly<Record<DeliveryState, () => string>> = {
    waiting: () => `${NOBODY_NEEDED}it is sent as soon as Zammad takes it.`,
    sending: () => `${NOBODY_NEEDED}its request is under way, or the bridge is finding out how it ended.`,
    delivered: () => `${NOBODY_NEEDED}Zammad has taken it.`,
    dead: () =>
      `${MISSING[item.post.event]} Mend what the reason says, then: outbox resend ${id}. Not needed any more: outbox drop ${id}`,
    unknown: () => unknownAdvice(item, id),
  };
  return states[item.state]();
}

function unknownAdvice(item: OutboxItem, id: string): string {
  switch (item.post.event) {
    case 'newCall':
      return `Look for the call in Zammad's caller log. It is there: outbox drop ${id}. It is not: outbox resend ${id}`;
    case 'answer':
      return `It matters only while the call lasts. Over by now: outbox drop ${id}. Else: outbox resend ${id}, which opens the agent's ticket screen again.`;
    case 'hangup':
      return item.repeatable
        ? `Send it again, that does no harm: outbox resend ${id}`
        : `Look at the call in Zammad's caller log. It still rings there: outbox resend ${id} --yes. It is a missed call or ticked off: outbox drop ${id}. ` +
            'With an API token (zammad[].apiToken), "reconcile" does this by itself.';
  }
}

/** Three lines for people. */
export function describe(item: OutboxItem, now: number): string {
  const { seq, pbx, zammad, callId, post, state, reason } = item;
  const head = `${idOf(seq)}  ${state}  ${ageWords(now - item.happenedAt)} old  ${pbx} → ${zammad}  ${post.event} of call ${callId}, customer ${customerOf(item)}`;
  return `${head}\n    Why: ${reason ?? '(no reason is kept)'}\n    What to do: ${advice(item)}\n`;
}

/** The same for programs. Times are ms. */
export const asJson = (item: OutboxItem, now: number) => ({
  id: idOf(item.seq),
  seq: item.seq,
  state: item.state,
  age: Math.max(0, now - item.happenedAt),
  pbx: item.pbx,
  zammad: item.zammad,
  event: item.post.event,
  callId: item.callId,
  direction: item.post.direction,
  customer: customerOf(item),
  cause: item.post.event === 'hangup' ? item.post.cause : undefined,
  attempts: item.attempts,
  reason: item.reason,
  advice: advice(item),
});
