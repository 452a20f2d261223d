/** Whether a browser sends a request for a page of ours, or for somebody else's. Pure. */

export interface OriginFacts {
  readonly method: string;
  /** The header Origin. */
  readonly origin: string | undefined;
  /** The header Sec-Fetch-Site, which browsers send and pages cannot forge. */
  readonly fetchSite: string | undefined;
  /** It is the browser that says who it is (a cookie), and not the sender (a token); or it may become so. */
  readonly byCookie: boolean;
}

const READS = new Set(['GET', 'HEAD']);

/** @param own our origin, as the browser has it. Undefined: nothing is wrong; else in words. */
export function foreignOrigin({ method, origin, fetchSite, byCookie }: OriginFacts, own: string): string | undefined {
  if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none')
    return 'It comes from a page of another address.';
  if (origin !== undefined) return origin === own ? undefined : 'It comes from a page of another address.';
  if (READS.has(method) || !byCookie || fetchSite === 'same-origin') return undefined;
  return 'It does not say from which page it comes (header Origin).';
}
