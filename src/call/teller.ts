import type { Availability } from './availability.js';
import type { Call } from './call.js';
import type { AgentRef, Directory } from './directory.js';
import { judgeFilter } from './filters.js';
import type { Outcome } from './outcome.js';
import { answerKey, answerPost, hangupPost, newCallPost, VOICEMAIL } from './posts.js';
import type { CallSettings, Destination, Filter } from './settings.js';
import type { Cause, PbxName, Post, ZammadName } from './vocabulary.js';

export interface TellerSettings {
  readonly pbx: PbxName;
  readonly calls: CallSettings;
  /** The PBX's own filter; every destination has one more. */
  readonly filter: Filter;
  readonly destinations: readonly Destination[];
  readonly directory: Directory;
}

/** Tells the Zammads of calls: each the calls that its filters let through, and each call's posts in their order. */
export class Teller {
  #outcomes: Outcome[] = [];

  constructor(
    private readonly settings: TellerSettings,
    private readonly availability: Pick<Availability, 'isUndisturbed'>,
  ) {}

  /** What was said since the last time. */
  take(): readonly Outcome[] {
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    return outcomes;
  }

  note(call: Call, text: string): void {
    this.#outcomes.push({ kind: 'note', callId: call.id, text });
  }

  /**
   * newCall, to every Zammad whose filter has decided for it by now. `agentsKnown`: filters on agents and queues must decide,
   * because it is known whom the call reached, or it is over.
   */
  newCall(call: Call, agentsKnown: boolean): void {
    const facts = {
      pbx: this.settings.pbx,
      direction: call.direction,
      did: call.direction === 'in' ? call.to : call.from,
      queues: [...call.queues],
      agents: agentsKnown ? [...call.agents.keys()] : [],
      final: agentsKnown,
    };
    const chosen: ZammadName[] = [];
    for (const destination of this.settings.destinations) {
      const telling = call.tellings.get(destination.name);
      if (telling?.decision !== 'open') continue;
      const own = judgeFilter(this.settings.filter, facts);
      const verdict = own.kind === 'send' ? judgeFilter(destination.filter, facts) : own;
      if (verdict.kind === 'wait') continue;
      telling.decision = verdict.kind;
      if (verdict.kind === 'send') chosen.push(destination.name);
      else this.note(call, `not sent to ${destination.name}: ${verdict.why}`);
    }
    if (chosen.length > 0) this.#post(call, chosen, newCallPost(call, this.#named(call), this.#queueOf(call)));
  }

  /** answer, to every Zammad that does not know yet who talks. */
  answer(call: Call): void {
    const key = answerKey(call);
    if (key === undefined || call.counterpart === undefined) return;
    const chosen: ZammadName[] = [];
    for (const [name, telling] of call.tellings) {
      if (telling.decision !== 'send' || telling.answeredBy === key) continue;
      // Voicemail is nobody who could have answered before.
      const answeredBefore = telling.answeredBy !== undefined && telling.answeredBy !== VOICEMAIL;
      if (answeredBefore && !this.settings.calls.answerAgain) continue;
      telling.answeredBy = key;
      chosen.push(name);
    }
    this.#post(call, chosen, answerPost(call, call.counterpart));
  }

  /** hangup, to every Zammad that was told of the call. */
  hangup(call: Call, cause: Cause): void {
    const told = [...call.tellings].filter(([, { decision }]) => decision === 'send').map(([name]) => name);
    this.#post(call, told, hangupPost(call, cause));
    this.note(call, `over: ${cause}`);
  }

  /** Whoever calls, or has answered, is there all the same. */
  #named(call: Call): readonly AgentRef[] {
    const { answered, lastAgent } = call;
    return [...call.agents.values()].filter(
      ({ extension }) =>
        call.direction === 'out' ||
        (answered && lastAgent?.extension === extension) ||
        !this.availability.isUndisturbed(extension),
    );
  }

  #queueOf(call: Call): string | undefined {
    if (call.direction === 'out') return undefined;
    const configured = call.queueNamed ?? this.settings.directory.did(call.to)?.queue;
    return configured ?? (this.settings.calls.sendQueue ? [...call.queues][0] : undefined);
  }

  #post(call: Call, zammads: readonly ZammadName[], post: Post): void {
    if (zammads.length === 0) return;
    const repeatable = call.direction === 'out' || call.counterpart !== undefined;
    this.#outcomes.push({ kind: 'post', zammads, post, repeatable });
  }
}
