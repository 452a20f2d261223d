import type { Logger } from 'pino';
import { asError } from '../../errors.js';
import { errorBody } from '../replies.js';

export const NOT_NOW = 'not now';

/** What the door says, or that it cannot say anything now: its reason goes to the log only. */
export async function orNotNow<T>(task: Promise<T>, log: Logger): Promise<T | typeof NOT_NOW> {
  try {
    return await task;
  } catch (thrown) {
    log.warn({ error: asError(thrown) }, 'the tokens of agents cannot be looked up now');
    return NOT_NOW;
  }
}

/** For a reply with status 503. */
export const notNowBody = errorBody(
  'ZPB_TOKEN_NOT_NOW',
  'It cannot be found out now whose token this is. Try again in a moment.',
);
