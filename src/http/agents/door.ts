/** Whom the HTTP room asks who somebody is. */

export interface SignedIn {
  /** The agent's extension. */
  readonly agent: string;
  readonly name: string;
  /** Public id of the token or session. */
  readonly credential: string;
  /** Of a session: what its page sends along as `X-CSRF-Token`. */
  readonly csrf?: string | undefined;
}

/** Each rejects when it cannot be found out now. Undefined: nobody. */
export interface AgentDoor {
  byToken(text: string): Promise<SignedIn | undefined>;
  bySession(text: string): Promise<SignedIn | undefined>;
  /** Begins a session, in the place of the one that the browser had `before`. `text` is for the cookie, which lasts so many ms. */
  signIn(
    token: string,
    before?: string,
  ): Promise<(SignedIn & { readonly text: string; readonly lasts: number }) | undefined>;
  signOut(signedIn: SignedIn): Promise<void>;
}
