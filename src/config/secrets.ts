import { z } from 'zod';
import { Secret } from '../secret.js';

export interface SecretFieldOptions {
  /** What it is, for the documentation and for messages: `Password of the AMI user`. */
  readonly description: string;
}

/**
 * A key that holds a secret, for an adapter's configSchema. Its value comes out as a `Secret`. The admin may write it as text,
 * as `${VARIABLE}`, or as the path of a file under the same key with `File` behind it (`secret`, `secretFile`); the file's
 * text arrives here. Chain `.optional()` where it may be missing.
 * When secrets are not needed (`replay`) it is an empty Secret if it is required, or was given.
 */
export const secretField = ({
  description,
}: SecretFieldOptions): z.ZodPipe<z.ZodString, z.ZodTransform<Secret, string>> =>
  z
    .string()
    .transform((text) => new Secret(text))
    .meta({ description, secret: true });

/** The schema inside optional(), default(), a transform and the like. */
export function innerSchema(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema;
  for (;;) {
    const { def } = inner._zod as { def: { innerType?: z.core.$ZodType; in?: z.core.$ZodType } };
    const next = def.innerType ?? def.in;
    if (next === undefined) return inner;
    inner = next;
  }
}

/** Whether a schema was made by `secretField`, under optional() and the like. The mark lives in zod's global registry. */
export function isSecretField(schema: z.core.$ZodType): boolean {
  let inner: z.core.$ZodType | undefined = schema;
  while (inner !== undefined) {
    if (z.globalRegistry.get(inner)?.['secret'] === true) return true;
    const { def } = inner._zod as { def: { innerType?: z.core.$ZodType; in?: z.core.$ZodType } };
    inner = def.innerType ?? def.in;
  }
  return false;
}

/** The keys of an object schema; none when it is something else. */
export function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  const inner = innerSchema(schema);
  return inner instanceof Object && inner._zod.def.type === 'object'
    ? (inner._zod.def as z.core.$ZodObjectDef).shape
    : {};
}

/** The secret keys of an object schema and whether each must be there. */
export function secretKeysOf(schema: z.core.$ZodType): ReadonlyMap<string, { readonly required: boolean }> {
  return new Map(
    Object.entries(shapeOf(schema))
      .filter(([, field]) => isSecretField(field))
      .map(([key, field]) => [key, { required: field._zod.optin === undefined }]),
  );
}
