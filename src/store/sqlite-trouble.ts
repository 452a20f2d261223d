import { asError, isBridgeError, PermanentError, RetriableError } from '../errors.js';

/**
 * What SQLite's error means for us. `busy`: another process has it locked. `damaged`: the file's content is wrong. `barred`: a person must
 * give us access. `full`: no room on the disk. `disk`: it fails.
 */
export type SqliteTrouble = 'busy' | 'damaged' | 'barred' | 'full' | 'disk' | 'other';

const codeOf = (thrown: unknown): string => {
  const error = asError(thrown);
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
};

export function troubleOf(thrown: unknown): SqliteTrouble {
  const code = codeOf(thrown);
  if (/^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)) return 'busy';
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return 'damaged';
  if (/^(SQLITE_(CANTOPEN|PERM|AUTH|READONLY)|EACCES|EPERM|EROFS|EEXIST|ENOTDIR|EISDIR|ENOENT)/.test(code))
    return 'barred';
  if (/^(SQLITE_FULL|ENOSPC|EDQUOT)/.test(code)) return 'full';
  if (/^(SQLITE_(IOERR|NOMEM)|EIO)/.test(code)) return 'disk';
  return 'other';
}

/** For people. No row's content is in it. */
export function inWords(thrown: unknown): string {
  const error = asError(thrown);
  const code = codeOf(thrown);
  if (isBridgeError(thrown)) return error.message;
  const trouble = troubleOf(thrown);
  if (trouble === 'full') return 'the disk is full';
  if (trouble === 'busy') return 'another program has the database locked';
  return code === '' || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}

export const unavailable = (path: string, thrown: unknown): RetriableError =>
  new RetriableError('ZPB_STORE_UNAVAILABLE', `The store ${path} cannot be used now: ${inWords(thrown)}`);

export const cannotOpen = (path: string, thrown: unknown): PermanentError =>
  new PermanentError(
    'ZPB_STORE_OPEN',
    `The store ${path} cannot be opened: ${inWords(thrown)}; the user of the bridge must be able to read and write it and its directory`,
  );

export const noStoreYet = (path: string): PermanentError =>
  new PermanentError(
    'ZPB_STORE_OPEN',
    `There is no store ${path} yet: no bridge has run with this configuration; it is made at the first start`,
  );

export const isNoFile = (path: string): PermanentError =>
  new PermanentError(
    'ZPB_STORE_OPEN',
    `The store ${path} cannot be opened: it is a folder; store.path is to name a file`,
  );
