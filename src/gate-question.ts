import type { GateAnswer, GateQuestion } from './gate/gate.js';
import { asError } from './errors.js';
import type { OutboxItem } from './store/outbox.js';
import type { UrgentReply } from './zammad/dispatcher.js';

/** One Zammad that is asked at the gate: its newCall, and what its reply means there. */
export function questionOf(item: OutboxItem, reply: Promise<UrgentReply>): GateQuestion {
  return {
    zammad: item.zammad,
    post: item.post,
    answer: reply.then(answerOf, (thrown: unknown) => ({ kind: 'silent', why: asError(thrown).message })),
  };
}

function answerOf(urgent: UrgentReply): GateAnswer {
  if (urgent.kind === 'noReply') return { kind: 'silent', why: urgent.why };
  const { reply } = urgent;
  switch (reply.kind) {
    case 'none':
      return { kind: 'none' };
    case 'odd':
      return { kind: 'odd' };
    case 'reject':
      return { kind: 'reject', reason: reply.reason };
    case 'dial':
      return { kind: 'dial', callerId: reply.callerId };
  }
}
