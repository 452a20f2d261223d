import { z } from 'zod';

/** What stands for the agent's extension in `phone`. */
export const EXTENSION = '{extension}';

/** How an Asterisk rings an agent and dials for him: the setting `dial` of both of its interfaces. */
export const dialSettings = z.strictObject({
  context: z
    .string()
    .regex(/^[\w.+-]{1,79}$/, 'is no name of a context; it is what stands in [brackets] in extensions.conf')
    .meta({
      description:
        'The context in which the agents’ phones dial (`context` of their endpoints; in FreePBX `from-internal`): there the number is dialled.',
    }),
  phone: z
    .string()
    // Goes into one line of an order: a comma, an "&" or a space would make it more than one phone, or no phone at all.
    .regex(/^[A-Za-z]\w*\/[\w.@{}+/-]+$/, 'is no phone, as PJSIP/{extension} or Local/{extension}@from-internal')
    .refine((phone) => phone.split(EXTENSION).length === 2, `must hold ${EXTENSION} once`)
    .optional()
    .meta({
      description:
        'What is rung, with `{extension}` for the extension, e.g. `Local/{extension}@from-internal`, where the dialplan shall ring the agent. Without it his `devices` ring, all at once; an agent without devices is rung as `PJSIP/{extension}`.',
    }),
  callerId: z.enum(['phone', 'extension']).default('phone').meta({
    description:
      'As whom he dials. `phone`: as `callerid` of his endpoint says. `extension`: as his extension, for endpoints without `callerid`; over a Local channel always.',
  }),
});
export type DialSettings = z.output<typeof dialSettings>;
