import type { OriginateOrder } from '../../src/pbx/adapter.js';
import { type DialSettings, DOMAIN, EXTENSION } from './dial-settings.js';

/** The channel variable that marks the legs of an order. Not `origination_uuid`: two phones of one agent cannot have the same one. */
export const ORDER_VARIABLE = 'zammad_dial';

/** What is sent, or why it is not. */
export type OriginateCommand =
  | { readonly kind: 'command'; readonly command: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** Nothing else may be dialled: it becomes a word of the command. */
const NUMBER = /^[+*#\d]{1,40}$/;
const USER = /^[\w.+*#-]{1,79}$/;
/** `1000@pbx.example.com`, or a whole endpoint: `sofia/internal/1000@192.0.2.1`. */
const DEVICE = /^[\w.+*#-]{1,79}(?:@[\w.-]{1,253})?$/;
const ENDPOINT = /^[A-Za-z]\w*(?:\.[a-z]+)?\/[\w.@:+%/-]{1,200}$/;
const HEADER_NAME = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;
/** Without what ends a value or begins something else: `,` `}` `]` `|` `^` `$` `'` `"` `\` and line breaks. */
const HEADER_VALUE = /^[A-Za-z0-9 .+*#()/:;<>=@_?-]{1,200}$/;
/** Begins another originate. */
const ENTERPRISE = ':_:';
const MAX_NAME = 60;

/**
 * `originate` for an order: the agent's phones, then, when one of them is answered, the number in the dialplan. Every value that
 * comes from outside is one of few characters, none of which means anything to FreeSWITCH; a name that is only shown loses the others,
 * everything else is refused. Pure.
 * @param id marks the legs of this order: letters, digits, `-`.
 */
export function originateCommand(order: OriginateOrder, settings: DialSettings, id: string): OriginateCommand {
  const { number, autoAnswer } = order;
  if (!NUMBER.test(number))
    return refused('the number has something else in it than digits, "+", "*" and "#", or is too long');
  const phones = phonesOf(order.agent, settings);
  if (phones === undefined)
    return refused('the extension, or a device of the agent, has characters that FreeSWITCH could take for a command');
  const context = contextFor(phones, settings);
  if (context === undefined)
    return refused(
      'the agent’s phone has no domain to name the context: set dial.domain, or list USER@DOMAIN as a device',
    );
  if (autoAnswer !== undefined && !isHeader(autoAnswer))
    return refused(
      'the header that makes the phone answer by itself has characters that FreeSWITCH could take for a command; letters, digits, blanks and . + * # ( ) / : ; < > = @ _ ? - are possible',
    );
  const variables = [
    `originate_timeout=${Math.max(1, Math.ceil(order.ringFor / 1000))}`,
    `origination_caller_id_number=${shownNumber(order)}`,
    `origination_caller_id_name='${shownName(order)}'`,
    `${ORDER_VARIABLE}=${id}`,
    ...forHisPhoneOnly([
      // Else a phone that only rings with a melody of its own would count as taken.
      'ignore_early_media=true',
      // `sip_auto_answer` would put its own header in the place of the configured one.
      ...(autoAnswer === undefined ? [] : [`sip_h_${autoAnswer.name}='${autoAnswer.value}'`]),
    ]),
  ];
  return { kind: 'command', command: `originate {${variables.join(',')}}${phones.join(',')} ${number} XML ${context}` };
}

const refused = (reason: string): OriginateCommand => ({ kind: 'refused', reason });

/**
 * What a leg has, FreeSWITCH hands on to the legs that it dials: a colleague's phone would answer by itself too (each `sip_h_…`, unless
 * `sip_copy_custom_headers` is false), and who dials would hear neither ringing nor an announcement (`ignore_early_media`). So it is taken
 * back when the agent has taken his phone, by variables of our own: FreeSWITCH does all whose names begin with `execute_on_answer`.
 */
const forHisPhoneOnly = (assignments: readonly string[]): readonly string[] => [
  ...assignments,
  ...assignments.map((one, index) => `execute_on_answer_zammad_${index}='unset ${one.slice(0, one.indexOf('='))}'`),
];

const isHeader = ({ name, value }: NonNullable<OriginateOrder['autoAnswer']>): boolean =>
  HEADER_NAME.test(name) && HEADER_VALUE.test(value) && !value.includes(ENTERPRISE);

/** What is rung, each as an endpoint. undefined: a name in it cannot be sent. */
function phonesOf({ extension, devices }: OriginateOrder['agent'], settings: DialSettings): string[] | undefined {
  if (!USER.test(extension)) return undefined;
  if (settings.phone !== undefined) return [settings.phone.replace(EXTENSION, extension)];
  const phones = (devices.length > 0 ? devices : [extension]).map((device) => {
    if (ENDPOINT.test(device) && !device.includes(ENTERPRISE)) return device;
    if (!DEVICE.test(device)) return undefined;
    const domain = device.includes('@') || settings.domain === undefined ? '' : `@${settings.domain}`;
    return `user/${device}${domain}`;
  });
  return phones.every((phone) => phone !== undefined) ? phones : undefined;
}

function contextFor(phones: readonly string[], { context, domain }: DialSettings): string | undefined {
  if (context !== DOMAIN) return context;
  const [user] = phones.filter((phone) => phone.startsWith('user/'));
  return user?.split('@')[1] ?? domain;
}

/** The phone shows it, and dials it when it is asked to call back. */
function shownNumber({ shown, number }: OriginateOrder): string {
  const digits = shown.replace(/[\s()/.-]/g, '');
  return NUMBER.test(digits) ? digits : number;
}

const shownName = ({ shown, number }: OriginateOrder): string => {
  const name = shown
    .replace(/[^\p{L}\p{N} .+*#()/-]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return name === '' ? number : Array.from(name).slice(0, MAX_NAME).join('').trim();
};
