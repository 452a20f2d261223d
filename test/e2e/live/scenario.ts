import type { Cause } from '../../../src/call/vocabulary.js';
import type { SipCall } from '../../lab/sip-call.js';
import type { PlaceOptions } from '../../lab/sip-dialog.js';
import type { Stage } from './stage.js';

/** One real call, as a person who watched would tell it. Numbers are as Zammad must get them. */
export interface ExpectedCall {
  readonly direction: 'in' | 'out';
  readonly from: string;
  readonly to: string;
  /** Extensions that newCall's user[] must name, and no others, in any order. */
  readonly named: readonly string[];
  /** Inbound: who answered, in order: extensions, or `voicemail`. Outbound: `outside` when it was answered. */
  readonly answers: readonly string[];
  readonly cause: Cause;
  /** Zammad shows it among the missed calls. */
  readonly missed: boolean;
}

export interface Scenario {
  readonly name: string;
  /** Plays the call with real phones. Ends when the last phone has hung up, or the PBX has. */
  play(stage: Stage): Promise<void>;
  readonly calls: readonly ExpectedCall[];
  /** Digits that must not reach Zammad in any request. */
  readonly secretNumber?: string;
}

export const CUSTOMER = '+491711234567';
export const OTHER_CUSTOMER = '+4915112223344';

const digits = (number: string): string => number.replace('+', '');

/** An inbound call to the DID `+49305550<to>`. */
export const inbound = (
  to: number,
  told: { named?: readonly string[]; answers?: readonly string[]; cause: Cause; from?: string; missed?: boolean },
): ExpectedCall => {
  const answers = told.answers ?? [];
  return {
    direction: 'in',
    from: digits(told.from ?? CUSTOMER),
    to: `49305550${to}`,
    named: told.named ?? [],
    answers,
    cause: told.cause,
    missed: told.missed ?? (answers.length === 0 && told.cause !== 'forwarded'),
  };
};

/** A call of an agent to `03012345678`, which the PBX shows outside with the agent's own DID. */
export const outbound = (agent: string, told: { answered: boolean; cause: Cause }): ExpectedCall => ({
  direction: 'out',
  from: `49305550${agent}`,
  to: '493012345678',
  named: [agent],
  answers: told.answered ? ['outside'] : [],
  cause: told.cause,
  missed: false,
});

/** The number that `outbound` expects. */
export const OUTSIDE = '03012345678';

/** The customer calls the DID `+49305550<to>`. */
export const customerCalls = (
  { lab }: Stage,
  to: number,
  options: PlaceOptions & { readonly from?: string } = {},
): Promise<SipCall> => lab.carrier.place(options.from ?? CUSTOMER, `+49305550${to}`, options);

/** The customer calls, the agent's phone rings, the agent picks up, both talk, and Zammad shows it. */
export async function talk(
  stage: Stage,
  to = 100,
  from = CUSTOMER,
): Promise<{ readonly customer: SipCall; readonly agent: SipCall }> {
  const customer = await customerCalls(stage, to, { from });
  const agent = await stage.lab.phones.callTo(String(to));
  await agent.answer();
  await customer.reaches('up');
  await Promise.all([customer.hears(), agent.hears()]);
  await stage.shows(from, 'answer');
  return { customer, agent };
}
