/**
 * How a request of an agent came here, and whether a token may travel that way: over TLS, over a reverse proxy that is trusted and
 * says that its own client spoke TLS, or from this machine to itself. Pure.
 */
import { BlockList, isIP } from 'node:net';

export interface RequestFacts {
  /** It came over our own TLS. */
  readonly encrypted: boolean;
  /** Address of the other end. */
  readonly peer: string;
  /** The header Host. */
  readonly host: string | undefined;
  /** The header X-Forwarded-Proto. */
  readonly forwardedProto: string | undefined;
  /** The header X-Forwarded-Host. */
  readonly forwardedHost: string | undefined;
  /** Some header says that a proxy has passed it on. */
  readonly forwarded: boolean;
}

export type Transport =
  /** `origin`: scheme, host and port as the browser has them. */
  | { readonly kind: 'fit'; readonly origin: string; readonly secure: boolean }
  | { readonly kind: 'unfit'; readonly status: 400 | 403; readonly code: string; readonly message: string };

const unfit = (status: 400 | 403, code: string, message: string): Transport => ({
  kind: 'unfit',
  status,
  code,
  message,
});

const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;
const LOOPBACK_PEER = /^(?:::ffff:)?127(?:\.\d{1,3}){3}$|^::1$/i;

/** @param proxies addresses, or networks (`10.0.0.0/8`), of the reverse proxies that are trusted. */
export function createTransportJudge(proxies: readonly string[]): (facts: RequestFacts) => Transport {
  const trusted = new BlockList();
  for (const proxy of proxies) {
    const [address = '', bits] = proxy.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  const isTrusted = (peer: string): boolean => {
    const plain = peer.replace(/^::ffff:(?=\d+\.)/i, '');
    const kind = isIP(plain);
    return kind !== 0 && trusted.check(plain, kind === 6 ? 'ipv6' : 'ipv4');
  };

  return (facts) => {
    const { encrypted, peer, forwardedProto, forwarded } = facts;
    const proxied = !encrypted && forwardedProto !== undefined && isTrusted(peer);
    const host = hostOf((proxied ? facts.forwardedHost : undefined) ?? facts.host);
    if (host === undefined) return unfit(400, 'ZPB_HTTP_BAD_REQUEST', 'The request says for which host it is wrongly.');
    if (encrypted) return fit('https', host);
    if (proxied) {
      return forwardedProto === 'https'
        ? fit('https', host)
        : unfit(403, 'ZPB_HTTPS_NEEDED', 'The proxy says that it was reached without TLS: call it as https.');
    }
    if (!LOOPBACK_PEER.test(peer)) {
      return unfit(
        403,
        'ZPB_HTTPS_NEEDED',
        'A token must not travel unencrypted: set http.certFile and http.keyFile, or put a reverse proxy with TLS before the bridge ' +
          'and name its address in http.trustProxy.',
      );
    }
    if (forwarded) {
      return unfit(
        403,
        'ZPB_HTTPS_NEEDED',
        'A proxy has passed this on: name its address in http.trustProxy, and have it send X-Forwarded-Proto.',
      );
    }
    // A page of elsewhere whose name was pointed at this machine would come with that name.
    if (!LOOPBACK_HOST.test(host.name)) {
      return unfit(403, 'ZPB_HTTP_OTHER_NAME', 'Without TLS this is served as localhost or 127.0.0.1 only.');
    }
    return fit('http', host);
  };
}

interface Host {
  readonly name: string;
  /** With its port, if there is one. */
  readonly whole: string;
}

function hostOf(text: string | undefined): Host | undefined {
  const [whole, name] = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?$/i.exec(text ?? '') ?? [];
  return whole === undefined || name === undefined ? undefined : { name, whole };
}

/** As browsers write it: small letters, without the scheme's own port. */
function fit(scheme: 'http' | 'https', { whole }: Host): Transport {
  const url = `${scheme}://${whole}`;
  if (!URL.canParse(url)) return unfit(400, 'ZPB_HTTP_BAD_REQUEST', 'The request says for which host it is wrongly.');
  return { kind: 'fit', origin: new URL(url).origin, secure: scheme === 'https' };
}
