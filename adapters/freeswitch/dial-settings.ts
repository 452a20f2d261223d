import { z } from 'zod';

/** What stands for the agent's extension in `phone`. */
export const EXTENSION = '{extension}';
/** What stands for the domain of the agent's phone in `context`. */
export const DOMAIN = '{domain}';

/** How FreeSWITCH rings an agent and dials for him: the setting `dial`. */
export const dialSettings = z.strictObject({
  context: z
    .string()
    .regex(/^(?:\{domain\}|[\w.+-]{1,79})$/, 'is no name of a context')
    .meta({
      description:
        'The context in which the agents’ phones dial (`user_context` of the directory; `default` in the vanilla configuration): there the number is dialled. `{domain}`: the one that is called like the domain of the agent’s phone, as in FusionPBX.',
    }),
  domain: z
    .string()
    .regex(/^[\w.-]{1,253}$/, 'is no name of a domain')
    .optional()
    .meta({
      description:
        'The domain of the directory in which the extensions are users. Without it FreeSWITCH takes its default one.',
    }),
  phone: z
    .string()
    // Goes into one line of an order: a comma, a "|" or a space would make it more than one phone, or no phone at all.
    .regex(
      /^[A-Za-z]\w*\/[\w.@+/-]*\{extension\}[\w.@+/-]*$/,
      `is no phone with ${EXTENSION} in it once, as user/${EXTENSION}@example.com`,
    )
    .optional()
    .meta({
      description:
        'What is rung, with `{extension}` for the extension, e.g. `user/{extension}@example.com`. Without it his `devices` ring, all at once; an agent without devices is rung as `user/{extension}@{domain}`.',
    }),
});
export type DialSettings = z.output<typeof dialSettings>;
