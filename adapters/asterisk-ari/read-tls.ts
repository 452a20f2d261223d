import { PermanentError } from '../../src/errors.js';
import { readTls as read, type SocketTls } from '../../src/pbx/open-socket.js';
import type { AsteriskAriConfig } from './config.js';

/** @throws PermanentError ZPB_ARI_TLS */
export const readTls = ({ tls }: AsteriskAriConfig): Promise<SocketTls | undefined> =>
  read(
    tls,
    ({ message }) => new PermanentError('ZPB_ARI_TLS', `tls.ca: ${message}; name a PEM file that the bridge may read`),
  );
