import { PermanentError } from '../../src/errors.js';
import { readTls as read, type SocketTls } from '../../src/pbx/open-socket.js';
import type { AsteriskAmiConfig } from './config.js';

/** @throws PermanentError ZPB_AMI_TLS */
export const readTls = ({ tls }: AsteriskAmiConfig): Promise<SocketTls | undefined> =>
  read(
    tls,
    ({ message }) => new PermanentError('ZPB_AMI_TLS', `tls.ca: ${message}; name a PEM file that the bridge may read`),
  );
