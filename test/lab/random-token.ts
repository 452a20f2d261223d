import { randomBytes } from 'node:crypto';

/** A random word for tags, branches and ids. */
export const randomToken = (): string => randomBytes(8).toString('hex');
