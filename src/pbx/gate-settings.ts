import { isIP } from 'node:net';
import { z } from 'zod';

/** `10.0.0.5`, `10.0.0.0/24`, `::1`, `fd00::/8`. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** The keys of a `gate` that listens at a port of its own. */
export const gateSettings = (port: number) => ({
  host: z
    .string()
    .regex(/^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]+)$/, 'is no IP address')
    .default('127.0.0.1')
    .meta({ description: 'Address at which the gate listens: one that the PBX can reach.' }),
  port: z.int().min(1).max(65_535).default(port).meta({ description: 'Its port.' }),
  allow: z
    .array(z.string().refine(isNetwork, 'is no IP address or network; write e.g. 10.0.0.5 or 10.0.0.0/24'))
    .min(1)
    .default(['127.0.0.1', '::1'])
    .meta({ description: 'Who may ask: the addresses of the PBX, or networks as `10.0.0.0/24`.' }),
});
