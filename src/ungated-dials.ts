import type { Logger } from 'pino';
import type { CallId, PbxName, ZammadName } from './call/vocabulary.js';
import type { GateState } from './pbx/adapter.js';

export interface UngatedDialsOptions {
  readonly log: Logger;
  readonly count: (name: 'gate_missing_total', labels: { readonly pbx: string }) => void;
}

export interface UngatedDial {
  readonly pbx: PbxName;
  readonly callId: CallId;
  readonly zammad: ZammadName;
  /** Of that PBX; undefined: its adapter has no gate. */
  readonly gate: GateState | undefined;
}

/** Zammad names the caller id of a call that did not wait: too late to set it. Counted each time; said once a PBX, with what mends it. */
export class UngatedDials {
  readonly #said = new Set<PbxName>();

  constructor(private readonly options: UngatedDialsOptions) {}

  take({ pbx, callId, zammad, gate }: UngatedDial): void {
    const { log, count } = this.options;
    count('gate_missing_total', { pbx });
    if (this.#said.has(pbx)) return;
    this.#said.add(pbx);
    log.warn(
      { pbx, callId, zammad },
      `Zammad ${zammad} names the caller id of a call, and PBX ${pbx} had dialled already: ${mend(gate)}. Said once; ` +
        'the metric gate_missing_total counts such calls',
    );
  }
}

function mend(gate: GateState | undefined): string {
  switch (gate?.kind) {
    case undefined:
      return 'this adapter cannot have calls wait, so it shows what the PBX says';
    case 'off':
      return gate.mend;
    case 'closed':
      return `its gate is closed: ${gate.reason}`;
    case 'open':
      return "the call did not pass the gate's line in the dialplan; put it before the Dial of outbound calls";
  }
}
