/**
 * Request parameters as Rails hands them to Zammad, and the few habits of Ruby that show in what Zammad then stores.
 */
export type Param = string | number | boolean | null | readonly Param[] | ParamMap;
export interface ParamMap {
  readonly [name: string]: Param;
}

/** The value of a parameter; absent and JSON null are the same to Zammad. Never looks at a prototype. */
export const param = (params: ParamMap, name: string): Param =>
  Object.hasOwn(params, name) ? (params[name] ?? null) : null;

/** Ruby's `present?`: not nil, not false, not blank, not empty. */
export function isPresent(value: Param): boolean {
  if (value === null || value === false) return false;
  if (typeof value === 'string') return value.trim() !== '';
  if (typeof value === 'object') return Object.keys(value).length > 0;
  return true;
}

/** Ruby's `inspect`, which is what a list or an object turns into when it is stored in a text column: `["a", "b"]`. */
function inspect(value: Param): string {
  if (value === null) return 'nil';
  if (typeof value === 'string') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(inspect).join(', ')}]`;
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([key, held]) => `${JSON.stringify(key)}=>${inspect(held)}`)
      .join(', ')}}`;
  }
  return String(value);
}

export const isList = (value: Param): value is readonly Param[] => Array.isArray(value);

/** Ruby's `Array#join(', ')`: nil is nothing, nested lists are flattened. */
export const joined = (list: readonly Param[]): string =>
  list
    .map((item) => {
      if (item === null) return '';
      if (isList(item)) return joined(item);
      return typeof item === 'object' ? inspect(item) : String(item);
    })
    .join(', ');

/** A value as a text column keeps it, cut at `limit` characters without a word, as Zammad does. */
export function asColumn(value: Param, limit: number): string | null {
  if (value === null) return null;
  return cut(asText(value), limit);
}

/** A value as it is compared with a text column: uncut. */
export function asText(value: Exclude<Param, null>): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 't' : 'f';
  return typeof value === 'number' ? String(value) : inspect(value);
}

/** The first `limit` characters; a character outside the basic plane counts as one. */
export const cut = (text: string, limit: number): string =>
  text.length <= limit ? text : Array.from(text).slice(0, limit).join('');

/** PostgreSQL takes no NUL byte in a text; Ruby's driver raises ArgumentError before it sends one. */
export const hasNul = (value: Param): boolean => value !== null && asText(value).includes('\0');
