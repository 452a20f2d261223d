import type { SipRequest, SipResponse } from './sip-message.js';

export interface SipHostOptions {
  /** Loopback address at which its phones live. */
  readonly address: string;
  readonly port: number;
  readonly pbx: { readonly address: string; readonly port: number };
}

/** What a call needs of the socket it shares with other calls. */
export interface SipEndpoint {
  readonly options: SipHostOptions;
  send(text: string): void;
  /**
   * Sends a request and resolves with its final response; repeats it until the first response (INVITE) or the final one.
   * `key`: branch and method. Rejects when none comes within `deadline` ms, or when the phone is reset.
   */
  transact(
    request: string,
    key: string,
    deadline: number,
    onProvisional?: (response: SipResponse) => void,
  ): Promise<SipResponse>;
  /** Answers a request of the PBX. */
  reply(request: SipRequest, status: number, extra?: ReplyOptions): void;
}

export interface ReplyOptions {
  readonly tag?: string | undefined;
  readonly body?: string | undefined;
  /** Instead of the Contact line. */
  readonly headers?: readonly string[] | undefined;
}
