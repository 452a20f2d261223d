import { MOST_TOKENS, SESSIONS_OF_A_TOKEN, type Credential, type Credentials } from './credentials.js';

/** The credentials of a store without a disk. Bounded by `MOST_TOKENS` and the sessions of each. */
export class MemoryCredentials implements Credentials {
  /** In the order in which they were added. */
  readonly #kept = new Map<string, Credential>();

  add(credential: Credential): Promise<boolean> {
    const { parent } = credential;
    if (parent !== undefined) {
      if (!this.#kept.has(parent)) return Promise.resolve(false);
      const sessions = [...this.#kept.values()].filter((one) => one.parent === parent);
      for (const { id } of sessions.slice(0, Math.max(0, sessions.length - SESSIONS_OF_A_TOKEN + 1)))
        this.#kept.delete(id);
    } else if (this.#tokens().length >= MOST_TOKENS) return Promise.resolve(false);
    this.#kept.set(credential.id, credential);
    return Promise.resolve(true);
  }

  find(id: string, now: number): Promise<Credential | undefined> {
    const found = this.#kept.get(id);
    const over = found?.expiresAt !== undefined && found.expiresAt <= now;
    return Promise.resolve(over ? undefined : found);
  }

  tokens(agent?: string): Promise<readonly Credential[]> {
    return Promise.resolve(this.#tokens().filter((one) => agent === undefined || one.agent === agent));
  }

  revoke(id: string): Promise<Credential | undefined> {
    const revoked = this.#kept.get(id);
    this.#kept.delete(id);
    for (const one of this.#kept.values()) if (one.parent === id) this.#kept.delete(one.id);
    return Promise.resolve(revoked);
  }

  clear(): void {
    this.#kept.clear();
  }

  #tokens(): readonly Credential[] {
    return [...this.#kept.values()].filter(({ kind }) => kind === 'token');
  }
}
