/** A network failure in words, from its code alone: messages of axios and Node may hold the URL. */

/** Certificate codes of OpenSSL that the authority file mends. */
const UNTRUSTED: readonly string[] = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
];

/** `code` as Node gives it (`ECONNREFUSED`), or `DEADLINE`, `STOPPED`, `FENCED` of this client. `origin` may be shown. */
export function failureWords(code: string, origin: string, timeout: number): string {
  if (UNTRUSTED.includes(code)) {
    return `The certificate of ${origin} is not signed by a known authority (${code}): put the authority's PEM file into zammad[].caFile`;
  }
  switch (code) {
    case 'DEADLINE':
      return `${origin} did not answer within ${timeout} ms`;
    case 'STOPPED':
      return `The request to ${origin} was cut short because this bridge stops or may not speak for the PBX any more`;
    case 'FENCED':
      return `Nothing was sent to ${origin}: this bridge may not speak for the PBX any more`;
    case 'ECONNREFUSED':
      return `Nothing listens at ${origin} (ECONNREFUSED): is Zammad running, and the port right?`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `The name in ${origin} cannot be resolved (${code}): look at the URL and at this machine's DNS`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return `${origin} cannot be reached (${code}): look at the network and the firewall between here and there`;
    case 'CERT_HAS_EXPIRED':
      return `The certificate of ${origin} has expired: renew it`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `The certificate of ${origin} is for another name: use the name it was made for in zammad[].url`;
    case 'EPROTO':
      return `${origin} does not speak TLS as expected (EPROTO): http instead of https, or the wrong port?`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ERR_BAD_RESPONSE':
      return `${origin} closed the connection before it answered (${code})`;
    default:
      return `The request to ${origin} failed (${code})`;
  }
}
