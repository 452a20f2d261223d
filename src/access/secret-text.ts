/** What a holder has in his hands: a text of which the store keeps a hash only. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { CredentialKind } from '../store/credentials.js';

/** A prefix by which people, and scanners for lost secrets, know it. */
const PREFIX: Readonly<Record<CredentialKind, string>> = { token: 'zpb', session: 'zps' };
const FORM = /^(zpb|zps)_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;
const SECRET_BYTES = 32;
const ID_BYTES = 6;

export interface Minted {
  readonly id: string;
  /** `zpb_ID_SECRET`: shown once. */
  readonly text: string;
  readonly hash: string;
}

/** A new one, of 256 random bits. Not of the injected randomness: nobody may foresee it. */
export function mint(kind: CredentialKind): Minted {
  const id = randomBytes(ID_BYTES).toString('hex');
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { id, text: `${PREFIX[kind]}_${id}_${secret}`, hash: hashOf(secret) };
}

/** Undefined: it is none of this kind. */
export function readSecret(
  kind: CredentialKind,
  text: string,
): { readonly id: string; readonly secret: string } | undefined {
  const [, prefix, id, secret] = FORM.exec(text) ?? [];
  return prefix === PREFIX[kind] && id !== undefined && secret !== undefined ? { id, secret } : undefined;
}

/** The secret is random throughout, so a plain hash cannot be guessed from. */
export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** In a time that says nothing of where they differ. */
export function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
