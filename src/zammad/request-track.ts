/**
 * How far a request got, seen from its socket: the difference between "surely not processed" and "nobody can say".
 * Axios reports both as the same kind of error.
 */
import http from 'node:http';
import https from 'node:https';
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** What axios asks of its `transport` option. */
interface Transport {
  request(options: RequestOptions, onResponse: (response: IncomingMessage) => void): ClientRequest;
}

/** Watches one request, and keeps it from being written when it may not be any more. */
export class RequestTrack {
  readonly #mayBegin: () => boolean;
  #reached = false;
  #fenced = false;
  #response: IncomingMessage | undefined;
  #request: ClientRequest | undefined;

  /** `mayBegin` is asked when there is a connection, right before the first byte goes out. */
  constructor(mayBegin: () => boolean = () => true) {
    this.#mayBegin = mayBegin;
  }

  /** True when it was not written because it might not begin any more. */
  get fenced(): boolean {
    return this.#fenced;
  }

  /**
   * True as soon as the server may have got a byte of the request: its socket was connected (TLS: and its certificate
   * accepted). Node hands a small post to the system in the same moment, and from then on only an answer tells more.
   */
  get reached(): boolean {
    return this.#reached;
  }

  /** The answer, as soon as its head is there, even if its body never comes. */
  get response(): IncomingMessage | undefined {
    return this.#response;
  }

  /** For axios: makes the request and watches it. */
  readonly transport: Transport = {
    request: (options, onResponse) => {
      const module = options.protocol === 'https:' ? https : http;
      const request = module.request(options, onResponse);
      this.#request = request;
      request.once('socket', (socket) => {
        this.#watch(request, socket);
      });
      request.once('response', (response) => {
        this.#response = response;
      });
      return request;
    },
  };

  /** Ends the request if it is still under way, and its socket with it. */
  destroy(): void {
    this.#request?.destroy();
  }

  #watch(request: ClientRequest, socket: Socket): void {
    if (request.reusedSocket) {
      this.#begin(request);
      return;
    }
    // Node writes the request in a listener of its own that comes after this one (TLS: after the certificate was accepted). The
    // connection may have taken long, and this process may have been stopped meanwhile.
    socket.prependOnceListener(socket instanceof TLSSocket ? 'secureConnect' : 'connect', () => {
      this.#begin(request);
    });
  }

  #begin(request: ClientRequest): void {
    if (this.#mayBegin()) {
      this.#reached = true;
      return;
    }
    this.#fenced = true;
    request.destroy();
  }
}
