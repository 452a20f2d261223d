/** What became of it, for people. */
import type { DialReason } from './answer.js';

export interface WordFacts {
  readonly extension: string;
  /** As it was given, or understood. */
  readonly number: string;
  /** Of the PBX or the bridge, where it says more. */
  readonly detail?: string | undefined;
}

type Words = (facts: WordFacts) => string;

const WORDS: Readonly<Record<DialReason, Words>> = {
  taken: ({ number }) => `You have taken it; ${number} is being dialled.`,
  'bad-number': ({ number }) =>
    `${number} is no phone number. Write it as +49 30 123456, or as it is dialled in your country; inside, the extension.`,
  emergency: ({ number }) => `${number} is an emergency number: dial it at the phone itself.`,
  'feature-code': ({ number }) => `${number} holds * or #: such codes are dialled at the phone itself.`,
  'own-number': ({ extension }) => `${extension} is your own extension.`,
  'number-denied': ({ number }) => `${number} may not be dialled from here.`,
  'unknown-agent': ({ extension }) => `No agent has the extension ${extension}.`,
  'no-pbx': ({ extension }) =>
    `Nobody has said at which PBX the phone of extension ${extension} is: the setting agents[].pbx.`,
  cannot: () => 'This PBX cannot ring phones for the bridge.',
  elsewhere: ({ detail }) => `Another bridge speaks for this PBX now${detail === undefined ? '' : `: ${detail}`}.`,
  'not-yet': ({ detail }) =>
    `The bridge does not speak for this PBX yet${detail === undefined ? '' : ` (${detail})`}. Try again in a moment.`,
  'under-way': () => 'Your last call is still being set up.',
  'too-often': () => 'That were too many calls in a minute. Wait a moment.',
  'not-registered': ({ extension }) =>
    `Extension ${extension} is not registered: the phone is off, or not connected to the PBX.`,
  'unknown-extension': ({ extension }) => `The PBX knows no extension ${extension}.`,
  busy: ({ extension }) => `Extension ${extension} is busy.`,
  declined: ({ extension }) => `The call was declined at extension ${extension}.`,
  'no-answer': ({ extension }) => `Nobody took the call at extension ${extension}.`,
  'not-allowed': ({ detail }) =>
    `The PBX does not allow the bridge to dial${detail === undefined ? '.' : `: ${detail}`}`,
  'not-heard': ({ detail }) => `The PBX cannot be reached at this moment${detail === undefined ? '.' : `: ${detail}`}`,
  failed: ({ detail }) => `The PBX could not do it${detail === undefined ? '.' : `: ${detail}`}`,
  unknown: () => 'The PBX has not said what became of it. Look at your phone.',
};

export const wordsFor = (reason: DialReason, facts: WordFacts): string => WORDS[reason](facts);

/** What is repeated of what somebody typed: short, and nothing that moves the cursor. */
export const repeated = (text: string): string => {
  const plain = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ').trim();
  return plain.length > 40 ? `${plain.slice(0, 40)}…` : plain === '' ? 'This' : plain;
};
