import type { OriginateOrder } from '../../src/pbx/adapter.js';
import { type DialSettings, EXTENSION } from './dial-settings.js';

/** At most so many phones of one agent ring at once. */
export const MOST_PHONES = 5;
/** Of the text that a phone shows. */
const LONGEST_SHOWN = 80;

/** What is rung for an agent, as Asterisk names it: `PJSIP/100`, `Local/100@from-internal`. */
export function phonesOf(agent: OriginateOrder['agent'], dial: DialSettings): readonly string[] {
  const fill = (pattern: string): string => pattern.replace(EXTENSION, agent.extension);
  if (dial.phone !== undefined) return [fill(dial.phone)];
  if (agent.devices.length === 0) return [fill(`PJSIP/${EXTENSION}`)];
  return [...new Set(agent.devices)].slice(0, MOST_PHONES);
}

export const isLocal = (phone: string): boolean => /^local\//i.test(phone);

/** A variable or function of the dialplan, and what it is set to before the phone rings. */
export type DialVariable = readonly [name: string, value: string];

/**
 * What is set on the agent's channel, so that his phone shows whom he is about to talk to, and the number is then dialled as if
 * he had dialled it himself. (`CallerID` of an Originate would do the first, and undo the second: the number would be called with
 * itself as its caller.)
 * @param first with several phones only one may take the call by itself: all would.
 */
export function dialVariables(
  order: OriginateOrder,
  phone: string,
  dial: DialSettings,
  first: boolean,
): readonly DialVariable[] {
  const shown = order.shown
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, LONGEST_SHOWN);
  const variables: DialVariable[] = [['CONNECTEDLINE(num,i)', order.number]];
  if (shown !== '' && shown !== order.number) variables.push(['CONNECTEDLINE(name,i)', shown]);
  if (dial.callerId === 'extension' || isLocal(phone)) variables.push(['CALLERID(num)', order.agent.extension]);
  if (order.autoAnswer !== undefined && first) {
    const { name, value } = order.autoAnswer;
    variables.push(headerVariable(phone, name, value));
  }
  return variables;
}

function headerVariable(phone: string, name: string, value: string): DialVariable {
  // A Local channel has no headers. FreePBX puts what it finds there on the INVITE to the phone; an own dialplan can do so too.
  if (isLocal(phone)) return [`HASH(__SIPHEADERS,${name})`, value];
  return /^sip\//i.test(phone) ? ['SIPADDHEADER01', `${name}: ${value}`] : [`PJSIP_HEADER(add,${name})`, value];
}

/** What makes an order one that no Asterisk may be asked for; undefined: nothing. In words for people. */
export function faultOf({ agent, number, autoAnswer }: OriginateOrder): string | undefined {
  if (!/^[\d+*#]{1,64}$/.test(number)) return 'the number holds something else than digits, +, * and #';
  if (!/^[\w.+-]{1,64}$/.test(agent.extension)) return 'the extension is not one that can be called';
  if (!agent.devices.every((device) => /^[A-Za-z]\w*\/[\w.@+:/-]{1,128}$/.test(device)))
    return 'a device of the agent is no name of a phone, as PJSIP/100';
  if (autoAnswer === undefined) return undefined;
  if (!/^[A-Za-z][A-Za-z0-9-]{0,63}$/.test(autoAnswer.name)) return 'the header for auto-answer has no proper name';
  return /^[^\p{Cc}]{1,200}$/u.test(autoAnswer.value) ? undefined : 'the header for auto-answer has no proper value';
}
