import { z } from 'zod';
import { secretField } from '../../src/config/secrets.js';
import { gateSettings } from '../../src/pbx/gate-settings.js';
import { deviceStateSetting } from '../asterisk/device-states.js';
import { dialSettings } from '../asterisk/dial-settings.js';

const DEFAULT_PORT = 5038;
/** Where Asterisk looks for FastAGI when a dialplan names no port. */
export const DEFAULT_GATE_PORT = 4573;

/** The settings of an Asterisk that is heard over its Manager Interface. */
export const configSchema = z.strictObject({
  host: z
    .string()
    // A name or an address; what holds a port or a scheme would only fail later, as a name that does not exist.
    .regex(/^(?:[\w.-]+|[0-9a-fA-F:]*:[0-9a-fA-F:.]+)$/, 'is no host name or address; the port goes into "port"')
    .default('127.0.0.1')
    .meta({ description: 'Where the Asterisk Manager Interface listens (manager.conf: bindaddr, or tlsbindaddr).' }),
  port: z
    .int()
    .min(1)
    .max(65_535)
    .default(DEFAULT_PORT)
    .meta({ description: 'Its port (manager.conf: port; over TLS usually 5039).' }),
  username: z.string().min(1).meta({ description: 'The section of manager.conf that is the bridge.' }),
  secret: secretField({ description: "That section's secret. Better as secretFile: a path." }),
  plainLogin: z.boolean().default(false).meta({
    description:
      'Log in with the readable password where the PBX refuses an MD5 challenge. Over TLS this is always allowed.',
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
        'Speak TLS to the PBX (manager.conf: tlsenable). The certificate is always checked. `tls: {}` is enough where the system trusts it.',
    }),
  trunks: z.array(z.string().min(1)).min(1).optional().meta({
    description:
      'The endpoints that lead outside: names (`provider`), or TECH/NAME, with `*` for anything (`PJSIP/provider*`). Without it the bridge asks the PBX, which needs write=system.',
  }),
  gate: z
    .strictObject({
      ...gateSettings(DEFAULT_GATE_PORT),
      setName: z.boolean().default(false).meta({
        description: 'When Zammad names a caller id, show it as the name too; else the name of the agent stays.',
      }),
    })
    .optional()
    .meta({
      description:
        'Let the dialplan ask before any phone rings: `AGI(agi://127.0.0.1:4573/gate?users=100,101)`. `gate: {}` is enough where bridge and PBX share a machine.',
    }),
  doNotDisturb: z
    .strictObject({
      queues: z.boolean().default(true).meta({
        description:
          'An agent who is paused in all his queues does not wish to be disturbed, and one who does not is paused in them (needs write=agent).',
      }),
      deviceState: deviceStateSetting.optional().meta({
        description:
          'A custom device state that keeps it too, for the dialplan and for lamps: `Custom:DND{extension}` is what FreePBX uses. BUSY: not to be disturbed.',
      }),
    })
    .prefault({})
    .meta({ description: 'How an agent\'s "do not disturb" is known and set (docs/guide-do-not-disturb.md).' }),
  dial: dialSettings.optional().meta({
    description: 'Click-to-call: where the agents dial. Needs write=originate. Without it nobody is rung.',
  }),
  askVoicemail: z.boolean().default(true).meta({
    description:
      'Ask the PBX (action Status) what answers a customer whom no agent hears, to know voicemail when it is one.',
  }),
});
export type AsteriskAmiConfig = z.output<typeof configSchema>;
