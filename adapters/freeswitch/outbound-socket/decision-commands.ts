import type { GateDecision, RejectReason } from '../../../src/pbx/adapter.js';
import { wordOf } from '../causes.js';
import { encodeCommand } from '../commands.js';
import type { WaitingCall } from './call-block.js';

/** Q.850 of what a rejected caller is to hear: 486, 480, 503, 404. */
export const REJECT_Q850: Readonly<Record<RejectReason, number>> = {
  busy: 17,
  noAnswer: 19,
  congestion: 34,
  notFound: 1,
};

/** What FreeSWITCH takes for a caller id: it goes into a variable that dialplans use in commands of their own. */
export const isCallerId = (text: string): boolean => /^\+?\d{1,40}$/.test(text);

/**
 * The variables by which the next leg shows another number. The first is the bridge's own, for dialplans that set the others
 * themselves before they bridge.
 */
export const CALLER_ID_VARIABLES = [
  'ZAMMAD_CALLER_ID',
  'outbound_caller_id_number',
  'effective_caller_id_number',
] as const;

/**
 * What FreeSWITCH is told, in order. The variable that a dialplan looks at first comes last of them: half a decision is none; and after
 * a reject comes nothing, because FreeSWITCH closes the connection when the leg is gone.
 */
export function commandsFor(call: WaitingCall, decision: GateDecision): readonly Buffer[] {
  const set = (name: string, value: string): Buffer => setVariable(call, name, value);
  const action = set('ZAMMAD_ACTION', decision.kind);
  switch (decision.kind) {
    case 'reject': {
      const cause = wordOf(REJECT_Q850[decision.reason]);
      const hangUp = encodeCommand('sendmsg', { 'call-command': 'hangup', 'hangup-cause': cause });
      return [set('ZAMMAD_REASON', decision.reason), action, hangUp];
    }
    case 'dial':
      return [...CALLER_ID_VARIABLES.map((name) => set(name, decision.callerId)), action, ...leave(call)];
    case 'continue':
      return [action, ...leave(call)];
  }
}

/** `uuid_setvar` is done when it is answered; a connection of one leg only may not say it, but what it may say is done before the dialplan goes on. */
const setVariable = ({ full, leg }: WaitingCall, name: string, value: string): Buffer =>
  full ? encodeCommand(`api uuid_setvar ${leg} ${name} ${value}`) : execute('set', `${name}=${value}`);

const execute = (application: string, argument: string): Buffer =>
  encodeCommand('sendmsg', {
    'call-command': 'execute',
    'execute-app-name': application,
    'execute-app-arg': argument,
    'event-lock': 'true',
  });

/**
 * The dialplan goes on behind its `socket`. Where that is not `async`, FreeSWITCH would set a leg that is to resume aside and never
 * take it up again: there the wish to resume, which the dialplan may have said, is taken back.
 */
export const leave = ({ async }: WaitingCall): readonly Buffer[] =>
  async ? [encodeCommand('resume'), encodeCommand('exit')] : [execute('unset', 'socket_resume'), encodeCommand('exit')];
