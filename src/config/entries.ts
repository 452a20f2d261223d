/** The lists of the configuration as zod schemas. Their descriptions are the documentation of docs/settings.md. */
import { parsePhoneNumberFromString } from 'libphonenumber-js/min';
import { z } from 'zod';
import { secretField } from './secrets.js';

const name = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_-]{0,62}$/,
    'must be of small letters, digits, "-" and "_", and begin with a letter or digit',
  );
const oneLine = (max: number): z.ZodString =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^[^\p{Cc}]*\S[^\p{Cc}]*$/u, 'must be one line of text that is not blank');
const extension = z
  .string()
  .regex(/^[A-Za-z0-9*#._-]{1,32}$/, 'must be an extension: up to 32 digits, letters, *, #, "." , "-" or "_"');
const dialled = (what: string): z.ZodPipe<z.ZodString, z.ZodTransform<string, string>> =>
  z
    .string()
    .regex(/^\+?[\d*# ()/.-]{1,40}$/, `must be ${what}`)
    .transform((text) => text.replace(/[ ()/.-]/g, ''));
const phone = z.string().transform((text, context) => {
  const parsed = text.trim().startsWith('+') ? parsePhoneNumberFromString(text) : undefined;
  if (parsed?.isValid() === true) return parsed.number;
  context.addIssue({ code: 'custom', message: 'is not a phone number in international form, e.g. +491711111111' });
  return z.NEVER;
});

const filterKeys = {
  dids: z
    .array(dialled('a number that customers dial, or a pattern with *, e.g. +4930555*'))
    .optional()
    .meta({ description: 'Numbers that customers dial (outbound: the number shown), or patterns with `*`.' }),
  queues: z.array(oneLine(100)).optional().meta({ description: 'Names of queues as the PBX has them.' }),
  agents: z.array(extension).optional().meta({ description: 'Extensions of agents who are called or who call.' }),
  direction: z.enum(['in', 'out']).optional().meta({ description: '`in` or `out`, seen from the agents.' }),
};
const FILTER = 'Which calls; every key that is given must match.';

const pbxFilterSchema = z.strictObject(filterKeys).meta({ description: FILTER });
export const filterSchema = z
  .strictObject({
    pbx: z.array(name).optional().meta({ description: 'Names of PBXs.' }),
    ...filterKeys,
  })
  .meta({ description: FILTER });

export const zammadSchema = z.strictObject({
  name: name.meta({
    description: 'What this Zammad is called here, in logs and in the store. Unique; do not change it later.',
  }),
  url: secretField({
    description:
      'The address of its CTI endpoint as Zammad shows it: Admin → System → Integrations → CTI (generic). It holds a token.',
  }),
  apiToken: secretField({
    description:
      'An access token of a Zammad user: lets the bridge read back whether a hangup arrived, where sending it twice would do harm.',
  }).optional(),
  encoding: z
    .enum(['form', 'json'])
    .default('form')
    .meta({ description: 'How posts are encoded: `form`, or `json`. Zammad takes both.' }),
  filter: filterSchema.optional(),
  caFile: oneLine(4096)
    .optional()
    .meta({ description: 'PEM file of the authorities that signed its certificate, if it is not a public one.' }),
});

export const agentSchema = z.strictObject({
  extension: extension.meta({ description: 'What the PBX calls this agent by; `answeringNumber` in Zammad. Unique.' }),
  name: oneLine(100).meta({ description: 'What Zammad shows.' }),
  devices: z
    .array(z.string().regex(/^\S{1,100}$/, 'must be a device as the PBX names it, without blanks, e.g. PJSIP/alice'))
    .default([])
    .meta({
      description: "The PBX's names of this agent's phones, if they are not called like the extension: `PJSIP/alice`.",
    }),
  phones: z
    .array(phone)
    .default([])
    .meta({ description: "Outside numbers that are this agent's phones too, in international form." }),
  zammad: z
    .strictObject({ login: oneLine(200).meta({ description: 'Login of this agent in Zammad.' }) })
    .optional()
    .meta({ description: 'Who this is in Zammad.' }),
  pbx: name.optional().meta({
    description: "The name of the PBX at which this agent's phone is, where there are several: for click-to-call.",
  }),
  autoAnswer: z
    .strictObject({
      name: z
        .string()
        .regex(/^[A-Za-z][A-Za-z0-9-]{0,39}$/, 'must be the name of a SIP header, e.g. Call-Info')
        .meta({ description: 'Name of the SIP header: `Call-Info`, `Alert-Info`.' }),
      value: z
        .string()
        .regex(/^[\x20-\x7e]{1,100}$/, 'must be one line of up to 100 plain characters, e.g. ;answer-after=0')
        .meta({ description: 'Its value, as the phone wants it: `;answer-after=0` (docs/guide-click-to-call.md).' }),
    })
    .optional()
    .meta({ description: 'Makes the phone answer by itself when its agent has clicked on a number.' }),
});

export const didSchema = z.strictObject({
  number: dialled('a number that customers dial, e.g. +4930555200').meta({
    description: 'The number that customers dial.',
  }),
  agents: z.array(extension).default([]).meta({
    description: 'Extensions named in the newCall of a gated call, which is told before any phone is called.',
  }),
  queue: oneLine(100).optional().meta({ description: 'Goes out as `queue` with calls to this number.' }),
});

/** The keys of a `pbx` entry that are not its adapter's. `calls` is judged with the scalar settings. */
export const pbxSchema = z.strictObject({
  name: name.meta({
    description: 'What this PBX is called here. Unique; the ids of its calls begin with it, do not change it later.',
  }),
  adapter: oneLine(4096).meta({
    description:
      'What speaks to it: a type of this program, the name of an npm package, or the path of a module (`./my-adapter.js`).',
  }),
  filter: pbxFilterSchema.optional(),
});
