import { z } from 'zod';
import { secretField } from '../../src/config/secrets.js';

/**
 * The adapter's own keys of a `pbx` entry. Strict: a misspelt key is an error. Every key has a description: the documentation
 * of the settings is made from it.
 */
export const configSchema = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').meta({ description: 'Where the PBX listens.' }),
  port: z.int().min(1).max(65_535).meta({ description: 'Its port.' }),
  /** Arrives as a `Secret`: it cannot be logged by mistake, and `secretFile:` works without a line of code here. */
  secret: secretField({ description: 'The password of the bridge. Better as secretFile: a path.' }),
});
export type TemplateConfig = z.output<typeof configSchema>;
