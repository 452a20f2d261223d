import type { SipEndpoint } from './sip-endpoint.js';
import { formatSipMessage, requiredHeader, type SipRequest, type SipResponse, tagOf, uriOf } from './sip-message.js';
import { randomToken } from './random-token.js';

export interface PlaceOptions {
  /** Display name in From. */
  readonly name?: string;
  /** Domain in From: `anonymous.invalid` for a caller that hides. */
  readonly domain?: string;
  /** More header lines of the INVITE: `Privacy: id`. */
  readonly headers?: readonly string[];
}

export interface RequestOptions {
  readonly body?: string;
  readonly contentType?: string;
  readonly headers?: readonly string[];
}

const REQUEST_MS = 5_000;

interface Parties {
  readonly callId: string;
  readonly localTag: string;
  /** Our From (or, in a taken call, their To) with our tag. */
  readonly local: string;
  /** The other side; its tag comes with the first response. */
  readonly remote: string;
  /** Where requests go. */
  readonly target: string;
  readonly contactUser: string;
}

/** What both ends of a call agree on (RFC 3261, 12): ids, tags, targets, sequence numbers. */
export class SipDialog {
  readonly callId: string;
  readonly localTag: string;
  readonly #local: string;
  readonly #contactUser: string;
  #remote: string;
  #target: string;
  #sequence = 100;
  #invitation: { readonly uri: string; readonly branch: string; readonly sequence: number } | undefined;

  private constructor(
    private readonly host: SipEndpoint,
    parties: Parties,
  ) {
    this.callId = parties.callId;
    this.localTag = parties.localTag;
    this.#local = parties.local;
    this.#remote = parties.remote;
    this.#target = parties.target;
    this.#contactUser = parties.contactUser;
  }

  static placed(host: SipEndpoint, from: string, to: string, { name, domain }: PlaceOptions): SipDialog {
    const localTag = randomToken();
    const { address, pbx } = host.options;
    const target = `sip:${to}@${pbx.address}:${pbx.port}`;
    return new SipDialog(host, {
      callId: `${randomToken()}@lab`,
      localTag,
      local: `${name === undefined ? '' : `"${name}" `}<sip:${from}@${domain ?? address}>;tag=${localTag}`,
      remote: `<${target}>`,
      target,
      contactUser: from,
    });
  }

  static taken(host: SipEndpoint, invite: SipRequest): SipDialog {
    const localTag = randomToken();
    return new SipDialog(host, {
      callId: requiredHeader(invite, 'call-id'),
      localTag,
      local: `${requiredHeader(invite, 'to')};tag=${localTag}`,
      remote: requiredHeader(invite, 'from'),
      target: uriOf(requiredHeader(invite, 'contact')),
      contactUser: /sips?:([^@;>]*)@/.exec(invite.uri)?.[1] ?? 'lab',
    });
  }

  /** The value of a Replaces header that names this dialog, as its other end knows it (RFC 3891). */
  replacesValue(): string {
    return `${this.callId};to-tag=${tagOf(this.#remote) ?? ''};from-tag=${this.localTag}`;
  }

  /** The first INVITE; acknowledges whatever comes of it. */
  async invite(
    body: string,
    headers: readonly string[],
    deadline: number,
    onProvisional: (response: SipResponse) => void,
  ): Promise<SipResponse> {
    const sequence = (this.#sequence += 1);
    const branch = `z9hG4bK${randomToken()}`;
    const uri = this.#target;
    this.#invitation = { uri, branch, sequence };
    const text = this.#format('INVITE', uri, branch, sequence, { body, headers });
    const response = await this.host.transact(text, `${branch} INVITE`, deadline, (provisional) => {
      if (provisional.status > 100) this.#learn(provisional);
      onProvisional(provisional);
    });
    this.#acknowledge(response, uri, branch, sequence);
    return response;
  }

  /** Gives the first INVITE up. Its own final response (487) comes separately. */
  async cancel(): Promise<void> {
    if (this.#invitation === undefined) throw new Error('nothing to cancel');
    const { uri, branch, sequence } = this.#invitation;
    const text = this.#format('CANCEL', uri, branch, sequence, {}, `<${uri}>`);
    await this.host.transact(text, `${branch} CANCEL`, REQUEST_MS);
  }

  /** A request within the dialog. Resolves with its final response, whatever its status. */
  async request(method: 'BYE' | 'INVITE' | 'REFER' | 'INFO', options: RequestOptions = {}): Promise<SipResponse> {
    const sequence = (this.#sequence += 1);
    const branch = `z9hG4bK${randomToken()}`;
    const uri = this.#target;
    const text = this.#format(method, uri, branch, sequence, options);
    const response = await this.host.transact(text, `${branch} ${method}`, REQUEST_MS);
    if (method === 'INVITE') this.#acknowledge(response, uri, branch, sequence);
    return response;
  }

  /** A 2xx is acknowledged at its contact by a transaction of its own; a refusal where the INVITE went, with its branch. */
  #acknowledge(response: SipResponse, uri: string, branch: string, sequence: number): void {
    if (response.status < 300) {
      this.#learn(response);
      this.host.send(this.#format('ACK', this.#target, `z9hG4bK${randomToken()}`, sequence, {}));
    } else {
      this.host.send(this.#format('ACK', uri, branch, sequence, {}, requiredHeader(response, 'to')));
    }
  }

  #learn(response: SipResponse): void {
    const to = requiredHeader(response, 'to');
    if (tagOf(to) !== undefined) this.#remote = to;
    const contact = response.headers.get('contact')?.[0];
    if (contact !== undefined) this.#target = uriOf(contact);
  }

  #format(
    method: string,
    uri: string,
    branch: string,
    sequence: number,
    { body, contentType, headers = [] }: RequestOptions,
    to = this.#remote,
  ): string {
    const { address, port } = this.host.options;
    return formatSipMessage(
      `${method} ${uri} SIP/2.0`,
      [
        `Via: SIP/2.0/UDP ${address}:${port};branch=${branch};rport`,
        'Max-Forwards: 70',
        `From: ${this.#local}`,
        `To: ${to}`,
        `Call-ID: ${this.callId}`,
        `CSeq: ${sequence} ${method}`,
        `Contact: <sip:${this.#contactUser}@${address}:${port}>`,
        'Allow: INVITE, ACK, CANCEL, BYE, REFER, NOTIFY, INFO, OPTIONS, UPDATE',
        'Supported: replaces',
        ...headers,
      ],
      body,
      contentType,
    );
  }
}
