/**
 * What agents sign in with: tokens, which a person makes and revokes, and the sessions of browsers that were begun with one. Of their
 * secrets the store has hashes only.
 */
export type CredentialKind = 'token' | 'session';

export interface Credential {
  /** Public: names it in lists, and stands in the text that its holder has. */
  readonly id: string;
  readonly kind: CredentialKind;
  /** The extension of the one agent that it speaks for. */
  readonly agent: string;
  /** SHA-256 of its secret, in hex. */
  readonly hash: string;
  /** Of a session: the token that it ends with. */
  readonly parent?: string | undefined;
  /** What its maker calls it. */
  readonly label?: string | undefined;
  /** Wall clock, ms since 1970, as the next. */
  readonly createdAt: number;
  /** Undefined: it holds until it is revoked. */
  readonly expiresAt?: number | undefined;
}

/** Any process that has the store open may use it; it needs no lead. Rejects with a RetriableError when the store cannot be asked now. */
export interface Credentials {
  /**
   * Keeps it. Sessions that have run out by the store's own clock may go by this, and the oldest ones of the same token beyond
   * `SESSIONS_OF_A_TOKEN` do. Not kept: a session whose token is gone meanwhile, a token beyond `MOST_TOKENS`. Answers whether it was.
   */
  add(credential: Credential): Promise<boolean>;
  /** Undefined: there is none, it was revoked, or it has run out at `now` (wall clock). */
  find(id: string, now: number): Promise<Credential | undefined>;
  /** The tokens, the oldest first; of one agent where one is named. */
  tokens(agent?: string): Promise<readonly Credential[]>;
  /** Ends it, and the sessions that were begun with it. Undefined: it was not there. */
  revoke(id: string): Promise<Credential | undefined>;
}

/** Browsers signed in with one token at a time. */
export const SESSIONS_OF_A_TOKEN = 10;
/** Tokens that a store holds. Each is one device of one agent. */
export const MOST_TOKENS = 5_000;
