/** The settings `http`, as the other ones of `scalars.ts`. */
export const HTTP_SCALARS = {
  host: {
    doc: 'Address for health and metrics. 127.0.0.1 = this machine only, 0.0.0.0 = every network it is in.',
    default: '127.0.0.1',
    kind: 'text',
    env: 'ZPB_HTTP_HOST',
  },
  port: {
    doc: 'Its port. 0 = none of this is served.',
    default: 9470,
    kind: 'port',
    env: 'ZPB_HTTP_PORT',
  },
  publicUrl: {
    doc: 'Where others reach this bridge: `https://phone1.example.com`. A bridge that does not lead a PBX names this address of the one that does. Needed behind a reverse proxy on the same machine; else `host` and `port` say it.',
    default: '',
    kind: 'text',
    env: 'ZPB_HTTP_PUBLIC_URL',
    chosen: true,
  },
  certFile: {
    doc: 'PEM file with the certificate (and those between it and its authority): what this server serves is served over TLS then. It is read again when it changes.',
    default: '',
    kind: 'text',
    env: 'ZPB_HTTP_CERT_FILE',
    chosen: true,
  },
  keyFile: {
    doc: 'PEM file with the private key of `certFile`.',
    default: '',
    kind: 'text',
    env: 'ZPB_HTTP_KEY_FILE',
    chosen: true,
  },
  trustProxy: {
    doc: 'Addresses or networks of reverse proxies, with blanks between: what these say of their clients in `X-Forwarded-Proto` and `X-Forwarded-Host` is believed. A proxy on this machine: 127.0.0.1.',
    default: '',
    kind: 'addresses',
    env: 'ZPB_HTTP_TRUST_PROXY',
  },
} as const;
