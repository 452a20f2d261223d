import { createHash } from 'node:crypto';
import type { Secret } from '../../src/secret.js';
import type { AmiMessage } from './message.js';
import { type AmiPlace, loginError } from './session-errors.js';
import type { AmiAction } from './writer.js';

export interface Credentials {
  readonly username: string;
  readonly secret: Secret;
  /** Where the far end knows no challenge, send the secret itself, readable for everybody on the way. Over TLS always allowed. */
  readonly plainLogin: boolean;
  /** Event classes to hear: `on`, `off`, or a list such as `call,agent`. */
  readonly events: string;
}

/**
 * Logs in: with a challenge, so that the secret never goes over the wire. Its MD5 is what Asterisk offers, and all it offers
 * (main/manager.c, action_challenge); TLS is what makes a login safe on a network one does not own.
 * @throws PermanentError ZPB_AMI_AUTH, ZPB_AMI_LOGIN; RetriableError ZPB_AMI_IN_USE
 */
export async function logIn(
  request: (action: AmiAction) => Promise<AmiMessage>,
  at: AmiPlace,
  { username, secret, plainLogin, events }: Credentials,
  overTls: boolean,
): Promise<void> {
  const challenge = await request({ Action: 'Challenge', AuthType: 'MD5' });
  const nonce = isSuccess(challenge) ? challenge.get('Challenge') : undefined;
  if (nonce === undefined && !plainLogin && !overTls) {
    throw loginError(
      at,
      username,
      `${challenge.get('Message') ?? ''} (no MD5 challenge: set "plainLogin", or use TLS)`,
    );
  }
  const proof =
    nonce === undefined
      ? { Secret: secret.reveal() }
      : { AuthType: 'MD5', Key: createHash('md5').update(nonce).update(secret.reveal()).digest('hex') };
  // "Events", as Asterisk reads it (main/manager.c, authenticate): "Event" would be ignored and every class be sent.
  const reply = await request({ Action: 'Login', Username: username, ...proof, Events: events });
  if (!isSuccess(reply)) throw loginError(at, username, reply.get('Message') ?? reply.response ?? '');
}

export const isSuccess = (message: AmiMessage): boolean => message.response?.toLowerCase() === 'success';
