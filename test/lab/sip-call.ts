import { pause, waitFor } from '../support/wait-for.js';
import { SilentMedia } from './silent-media.js';
import { type PlaceOptions, SipDialog } from './sip-dialog.js';
import type { SipEndpoint } from './sip-endpoint.js';
import { headerOf, mediaTarget, sdpOf, type SipRequest, type SipResponse, userOf } from './sip-message.js';

export type CallState = 'trying' | 'ringing' | 'up' | 'ended';

const INVITE_MS = 60_000;
/** Packets that prove that a leg is connected: a tenth of a second of audio. */
const AUDIBLE = 5;
/** Between two keys: faster than a person, slower than a PBX needs. */
const KEY_MS = 180;

/** One call at one phone of the lab, placed or taken, as its SIP side sees it. */
export class SipCall {
  #state: CallState = 'trying';
  #status: number | undefined;
  #endedBy: 'us' | 'pbx' | undefined;
  #media: SilentMedia | undefined;
  #opening: Promise<SilentMedia> | undefined;
  #sdpVersion = 0;
  #cancelled = false;

  private constructor(
    private readonly host: SipEndpoint,
    readonly kind: 'placed' | 'taken',
    readonly from: string,
    readonly to: string,
    private readonly dialog: SipDialog,
    /** A taken call's INVITE, to look at what the PBX shows to the callee. */
    readonly invite?: SipRequest,
  ) {}

  get id(): string {
    return this.dialog.callId;
  }
  get state(): CallState {
    return this.#state;
  }
  /** Final SIP status of a call that was never up. */
  get status(): number | undefined {
    return this.#status;
  }
  get endedBy(): 'us' | 'pbx' | undefined {
    return this.#endedBy;
  }

  // ---------------------------------------------------------------- placing

  static async place(host: SipEndpoint, from: string, to: string, options: PlaceOptions): Promise<SipCall> {
    const call = new SipCall(host, 'placed', from, to, SipDialog.placed(host, from, to, options));
    await call.#openMedia();
    call.#follow(
      call.dialog.invite(await call.#sdp(), options.headers ?? [], INVITE_MS, (response) => {
        if (response.status >= 180 && call.#state === 'trying') call.#state = 'ringing';
      }),
    );
    return call;
  }

  #follow(outcome: Promise<SipResponse>): void {
    outcome.then(
      (response) => {
        if (response.status < 300) {
          this.#up(response.body);
          // Answered while we were giving up: hang up after all.
          if (this.#cancelled) void this.hangUp().catch(() => undefined);
          return;
        }
        this.#status = response.status;
        this.#end(this.#cancelled ? 'us' : 'pbx');
      },
      () => {
        this.#end('us');
      },
    );
  }

  // ---------------------------------------------------------------- taking

  static take(host: SipEndpoint, invite: SipRequest): SipCall {
    const from = userOf(headerOf(invite, 'from')) ?? '';
    const to = userOf(invite.uri) ?? '';
    return new SipCall(host, 'taken', from, to, SipDialog.taken(host, invite), invite);
  }

  /** 180: the phone rings. */
  ring(): void {
    if (this.#state !== 'trying') return;
    this.#state = 'ringing';
    this.#reply(180);
  }

  /** Picks up. Throws when the call is over already. */
  async answer(): Promise<void> {
    const sdp = await this.#sdp();
    if (this.#state !== 'trying' && this.#state !== 'ringing') {
      throw new Error(`${this.#name} cannot be answered: it is ${this.#state}`);
    }
    this.#reply(200, sdp);
    this.#up(this.invite?.body ?? '');
  }

  /** Ends a call that is not up yet: 486 busy, 603 declined. */
  refuse(status: number, headers?: readonly string[]): void {
    if (this.#state === 'up' || this.#state === 'ended') return;
    this.#status = status;
    this.#reply(status, undefined, headers);
    this.#end('us');
  }

  /** 302: the phone itself forwards the call. */
  redirect(to: string): void {
    const { address, port } = this.host.options.pbx;
    this.refuse(302, [`Contact: <sip:${to}@${address}:${port}>`]);
  }

  #reply(status: number, body?: string, headers?: readonly string[]): void {
    if (this.invite === undefined) throw new Error(`${this.#name} was placed, not taken`);
    this.host.reply(this.invite, status, {
      tag: this.dialog.localTag,
      body,
      headers,
    });
  }

  // ---------------------------------------------------------------- in the call

  /** BYE, CANCEL, or 486 for a taken call that rings: whatever a person's hanging up means now. */
  async hangUp(): Promise<void> {
    if (this.#state === 'ended') return;
    if (this.#state === 'up') {
      this.#end('us');
      await this.dialog.request('BYE');
    } else if (this.kind === 'taken') {
      this.refuse(486);
    } else {
      this.#cancelled = true;
      await this.dialog.cancel();
      await this.reaches('ended');
    }
  }

  async hold(): Promise<void> {
    await this.dialog.request('INVITE', { body: await this.#sdp('sendonly') });
  }

  async resume(): Promise<void> {
    await this.dialog.request('INVITE', { body: await this.#sdp() });
  }

  /** Blind transfer (REFER); with `other`, the same phone's second call, an attended one (REFER with Replaces). */
  async transfer(to: string, other?: SipCall): Promise<void> {
    const { address, port } = this.host.options.pbx;
    const replaces = other === undefined ? '' : `?Replaces=${encodeURIComponent(other.dialog.replacesValue())}`;
    const me = this.kind === 'placed' ? this.from : this.to;
    const response = await this.dialog.request('REFER', {
      headers: [
        `Refer-To: <sip:${to}@${address}:${port}${replaces}>`,
        `Referred-By: <sip:${me}@${this.host.options.address}>`,
      ],
    });
    if (response.status >= 300) throw new Error(`the PBX refused the transfer of ${this.#name}: ${response.status}`);
  }

  /** Keys in mid-call, as SIP INFO. */
  async press(keys: string): Promise<void> {
    for (const key of keys) {
      const body = `Signal=${key}\r\nDuration=120\r\n`;
      await this.dialog.request('INFO', { body, contentType: 'application/dtmf-relay' });
      await pause(KEY_MS);
    }
  }

  // ---------------------------------------------------------------- looking at it

  /** Waits for a state; throws at once when the call ended before it. */
  async reaches(state: CallState, within?: number): Promise<this> {
    await waitFor(
      `${this.#name} to be ${state} (it is ${this.#state})`,
      () => {
        if (this.#state === 'ended' && state !== 'ended') {
          throw new Error(`${this.#name} ended (${this.#status ?? 'after it was up'}) before it was ${state}`);
        }
        return this.#state === state;
      },
      within === undefined ? {} : { within },
    );
    return this;
  }

  /** Waits until audio arrives from now on: somebody, or something, is at the other end. */
  async hears(): Promise<this> {
    const media = await this.#openMedia();
    const before = media.received;
    await waitFor(`audio in ${this.#name}`, () => media.received >= before + AUDIBLE);
    return this;
  }

  // ---------------------------------------------------------------- for the host

  onRequest(request: SipRequest): void {
    switch (request.method) {
      case 'ACK':
        return;
      case 'CANCEL':
        this.host.reply(request, 200);
        if (this.#state === 'up' || this.#state === 'ended') return;
        this.#status = 487;
        this.#reply(487);
        this.#end('pbx');
        return;
      case 'BYE':
        this.host.reply(request, 200);
        this.#end('pbx');
        return;
      case 'INVITE':
        void this.#sdp().then((body) => {
          this.host.reply(request, 200, { body });
          const target = mediaTarget(request.body);
          if (target !== undefined) this.#media?.speakTo(target);
        });
        return;
      default:
        this.host.reply(request, 200);
    }
  }

  /** Forgets the call without a word to the PBX. */
  drop(): void {
    this.#end('us');
  }

  // ---------------------------------------------------------------- inside

  get #name(): string {
    return `the call ${this.from} → ${this.to}`;
  }

  /** One opening only, however many ask; a call that ended meanwhile closes it again. */
  #openMedia(): Promise<SilentMedia> {
    this.#opening ??= SilentMedia.open(this.host.options.address).then((media) => {
      if (this.#state === 'ended') media.close();
      else this.#media = media;
      return media;
    });
    return this.#opening;
  }

  async #sdp(mode: 'sendrecv' | 'sendonly' = 'sendrecv'): Promise<string> {
    const media = await this.#openMedia();
    this.#sdpVersion += 1;
    return sdpOf(this.host.options.address, this.#media === media ? media.port : 9, this.#sdpVersion, mode);
  }

  #up(remoteSdp: string): void {
    if (this.#state === 'ended') return;
    this.#state = 'up';
    const target = mediaTarget(remoteSdp);
    if (target !== undefined) this.#media?.speakTo(target);
  }

  #end(by: 'us' | 'pbx'): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#endedBy = by;
    this.#media?.close();
    this.#media = undefined;
  }
}
