import type { Call, Counterpart } from './call.js';
import type { AgentRef } from './directory.js';
import type { AnswerPost, Cause, HangupPost, NewCallPost } from './vocabulary.js';

/** `user` that makes Zammad keep an answered call on its list of missed ones. */
export const VOICEMAIL = 'voicemail';

const base = ({ id, direction, from, to }: Call) => ({ callId: id, direction, from, to });

export const newCallPost = (call: Call, agents: readonly AgentRef[], queue: string | undefined): NewCallPost => ({
  event: 'newCall',
  ...base(call),
  user: [...new Set(agents.map(({ name }) => name))],
  ...(queue === undefined ? {} : { queue }),
});

/** Zammad would put a `user` on an outbound answer in place of the customer's name: there is none. */
export function answerPost(call: Call, counterpart: Counterpart): AnswerPost {
  const post: AnswerPost = { event: 'answer', ...base(call) };
  if (call.direction === 'out') return post;
  if (counterpart.kind === 'agent')
    return { ...post, user: counterpart.agent.name, answeringNumber: counterpart.agent.extension };
  return { ...post, user: VOICEMAIL };
}

export const hangupPost = (call: Call, cause: Cause): HangupPost => ({
  event: 'hangup',
  ...base(call),
  cause,
  ...(call.direction === 'in' && call.answered && call.lastAgent !== undefined
    ? { answeringNumber: call.lastAgent.extension }
    : {}),
});

/** What a counterpart is told as; undefined = it is not told by an answer. */
export function answerKey(call: Call): string | undefined {
  const { counterpart } = call;
  if (counterpart === undefined) return undefined;
  // Outbound there is one answer: the customer's.
  if (call.direction === 'out') return counterpart.kind === 'agent' ? 'customer' : undefined;
  if (counterpart.kind === 'agent') return `agent ${counterpart.agent.extension}`;
  return counterpart.kind === 'voicemail' ? VOICEMAIL : undefined;
}
