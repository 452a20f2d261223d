/** One thing that ARI says over its WebSocket. What is not as Asterisk says it reads as not there. */
export interface AriEvent {
  /** `ChannelCreated`, `Dial`, … */
  readonly type: string;
  readonly fields: JsonObject;
}
export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** undefined: no event of ARI. */
export function parseEvent(text: string): AriEvent | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isObject(fields) && typeof fields['type'] === 'string' ? { type: fields['type'], fields } : undefined;
}

export function text(of: JsonObject | undefined, key: string): string | undefined {
  const value = of?.[key];
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : undefined;
}

export function object(of: JsonObject | undefined, key: string): JsonObject | undefined {
  const value = of?.[key];
  return isObject(value) ? value : undefined;
}

/** When Asterisk made it, ms since 1970: `2026-11-26T23:25:12.872+0000`. */
export function timeOf({ fields }: AriEvent): number | undefined {
  const time = Date.parse((text(fields, 'timestamp') ?? '').replace(/([+-]\d\d)(\d\d)$/, '$1:$2'));
  return Number.isNaN(time) ? undefined : time;
}
