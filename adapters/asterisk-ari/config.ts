import { z } from 'zod';
import { secretField } from '../../src/config/secrets.js';
import { deviceStateSetting } from '../asterisk/device-states.js';
import { dialSettings } from '../asterisk/dial-settings.js';

const DEFAULT_PORT = 8088;

/** The settings of an Asterisk that is heard over its REST Interface. */
export const configSchema = z.strictObject({
  host: z
    .string()
    // A name or an address; what holds a port or a scheme would only fail later, as a name that does not exist.
    .regex(/^(?:[\w.-]+|[0-9a-fA-F:]*:[0-9a-fA-F:.]+)$/, 'is no host name or address; the port goes into "port"')
    .default('127.0.0.1')
    .meta({ description: "Where Asterisk's HTTP server listens (http.conf: bindaddr, or tlsbindaddr)." }),
  port: z
    .int()
    .min(1)
    .max(65_535)
    .default(DEFAULT_PORT)
    .meta({ description: 'Its port (http.conf: bindport; over TLS usually 8089).' }),
  path: z
    .string()
    .regex(/^(?:\/[\w.~-]+)*\/ari$/, 'must begin with "/" and end with "/ari"')
    .default('/ari')
    .meta({ description: 'Where ARI is found there: `/PREFIX/ari` where http.conf sets a prefix.' }),
  username: z
    .string()
    // The first colon of a Basic login ends the name (RFC 7617).
    .regex(/^[^:\p{Cc}]+$/u, 'holds a colon or a control character, which a login by HTTP cannot')
    .meta({ description: 'The section of ari.conf that is the bridge.' }),
  secret: secretField({ description: "That section's password. Better as secretFile: a path." }),
  app: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'may hold letters, digits, ".", "_" and "-" only')
    .default('zammad')
    .meta({
      description:
        'Name of the Stasis application that the bridge is. Each program at one Asterisk needs a name of its own: the last one to come takes it.',
    }),
  tls: z
    .strictObject({
      ca: z.string().min(1).optional().meta({
        description:
          'PEM file of the authority that signed the PBX certificate; without it the system authorities count.',
      }),
      servername: z
        .string()
        .min(1)
        .optional()
        .meta({ description: 'The name in the certificate, where it is not `host`.' }),
    })
    .optional()
    .meta({
      description:
        'Speak TLS to the PBX (http.conf: tlsenable). The certificate is always checked. `tls: {}` is enough where the system trusts it.',
    }),
  trunks: z.array(z.string().min(1)).min(1).optional().meta({
    description:
      'The endpoints that lead outside: names (`provider`), or TECH/NAME, with `*` for anything (`PJSIP/provider*`). ARI does not tell trunks from phones, so without it no call is told.',
  }),
  gate: z
    .strictObject({
      setName: z.boolean().default(false).meta({
        description: 'When Zammad names a caller id, show it as the name too; else the name of the agent stays.',
      }),
    })
    .optional()
    .meta({
      description:
        'Let the dialplan ask before any phone rings: `Stasis(zammad,users=100,101)`. `gate: {}` is enough; docs/guide-asterisk.md has the lines for the dialplan.',
    }),
  doNotDisturb: z
    .strictObject({
      deviceState: deviceStateSetting.optional().meta({
        description:
          'A custom device state that keeps it, for the dialplan and for lamps: `Custom:DND{extension}` is what FreePBX uses. BUSY: not to be disturbed. Without it the PBX keeps nothing.',
      }),
      queues: z
        .literal(false, {
          error:
            'must be false or left out: over ARI nobody can pause members of queues; use adapter: asterisk-ami for that',
        })
        .default(false)
        .meta({ description: 'Always false: ARI knows nothing of queues.' }),
    })
    .prefault({})
    .meta({ description: 'How an agent\'s "do not disturb" is known and set (docs/guide-do-not-disturb.md).' }),
  dial: dialSettings.optional().meta({
    description: 'Click-to-call: how the PBX rings an agent and dials for him. Without it nobody is rung.',
  }),
});
export type AsteriskAriConfig = z.output<typeof configSchema>;
