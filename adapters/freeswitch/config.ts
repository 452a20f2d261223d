import { z } from 'zod';
import { secretField } from '../../src/config/secrets.js';
import { gateSettings } from '../../src/pbx/gate-settings.js';
import { dialSettings } from './dial-settings.js';

/** Customary for programs that FreeSWITCH connects to. */
export const DEFAULT_GATE_PORT = 8084;

/** The settings of a FreeSWITCH that is heard over its event socket. */
export const configSchema = z.strictObject({
  host: z
    .string()
    // A name or an address; what holds a port or a scheme would only fail later, as a name that does not exist.
    .regex(/^(?:[\w.-]+|[0-9a-fA-F:]*:[0-9a-fA-F:.]+)$/, 'is no host name or address; the port goes into "port"')
    .default('127.0.0.1')
    .meta({ description: 'Where the event socket listens (event_socket.conf.xml: listen-ip).' }),
  port: z
    .int()
    .min(1)
    .max(65_535)
    .default(8021)
    .meta({ description: 'Its port (event_socket.conf.xml: listen-port).' }),
  password: secretField({
    description: 'Its password (event_socket.conf.xml: password). Better as passwordFile: a path.',
  }),
  tls: z
    .strictObject({
      ca: z.string().min(1).optional().meta({
        description: 'PEM file of the authority that signed the certificate; without it the system authorities count.',
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
        'Speak TLS. FreeSWITCH itself does not: this is for a proxy (stunnel, HAProxy) in front of it. The certificate is always checked.',
    }),
  gate: z.strictObject(gateSettings(DEFAULT_GATE_PORT)).optional().meta({
    description:
      'Let the dialplan ask before any phone rings: application `socket`, data `127.0.0.1:8084 async full`. `gate: {}` is enough where bridge and PBX share a machine.',
  }),
  trunks: z.array(z.string().min(1)).min(1).optional().meta({
    description:
      'The ways to the outside, where the bridge does not find them itself: names of gateways, of Sofia profiles (for legs of nobody who logged in), of users that are trunks, or of channels (`sofia/external/*`), with `*` for anything. Everything else is a phone then. Without it, a leg of a gateway and a leg of no user is a trunk.',
  }),
  dial: dialSettings.optional().meta({
    description: 'Click-to-call: where the agents dial. Without it nobody is rung.',
  }),
  doNotDisturb: z
    .strictObject({
      queues: z.boolean().default(true).meta({
        description:
          'An agent of mod_callcenter who is `On Break` does not wish to be disturbed, and one who does not is put on a break there. Of no effect where it is not loaded.',
      }),
      flag: z
        .string()
        .regex(/^[\w.-]{1,64}$/, 'is no name for a realm of mod_db')
        .optional()
        .meta({
          description:
            'Keep a flag that the dialplan can ask for, by extension, in this realm of mod_db: with `zammad_dnd`, `${db(select/zammad_dnd/1000)}` is 1 while agent 1000 does not wish to be disturbed.',
        }),
    })
    .prefault({})
    .meta({ description: 'How an agent\'s "do not disturb" is known and set.' }),
});
export type FreeSwitchConfig = z.output<typeof configSchema>;
