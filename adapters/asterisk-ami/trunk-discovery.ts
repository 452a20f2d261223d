import { listEndpoint, listEndpoints } from './actions.js';
import type { AmiSession } from './session.js';

/** What Asterisk says about its endpoints, as far as it tells trunks from phones. */
interface Endpoint {
  readonly name: string;
  readonly outboundAuth: boolean;
  readonly inboundAuth: boolean;
}

/** At most so many endpoints are looked at one by one. */
const MOST_DETAILS = 200;

/**
 * The PJSIP endpoints that lead outside: those that log in somewhere, or that are known by their address instead of a
 * password. Needs write=system.
 * @throws AmiRefusedError when the login may not ask, RetriableError when no (whole) answer comes.
 */
export async function discoverTrunks(session: AmiSession, timeout: number): Promise<readonly string[]> {
  const items = await session.list(listEndpoints.action, listEndpoints.complete, { timeout });
  const endpoints = items
    .filter((item) => item.event === 'EndpointList')
    .map(
      (item): Endpoint => ({
        name: item.get('ObjectName') ?? '',
        outboundAuth: (item.get('OutboundAuths') ?? '') !== '',
        inboundAuth: (item.get('Auths') ?? '') !== '',
      }),
    )
    .filter(({ name }) => name !== '');
  const trunks = endpoints.filter(({ outboundAuth }) => outboundAuth).map(({ name }) => name);
  const doubtful = endpoints.filter(({ outboundAuth, inboundAuth }) => !outboundAuth && !inboundAuth);
  // All at once: what they take together is bounded by one time-out.
  const identified = await Promise.all(
    doubtful.slice(0, MOST_DETAILS).map(async ({ name }) => {
      const { action, complete } = listEndpoint(name);
      const details = await session.list(action, complete, { timeout });
      return details.some((item) => item.event === 'IdentifyDetail') ? [name] : [];
    }),
  );
  return [...trunks, ...identified.flat()];
}
