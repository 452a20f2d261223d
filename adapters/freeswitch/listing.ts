import { asLegId, type LegId } from '../../src/call/vocabulary.js';
import { type EslEvent, percentDecoded, readJsonObject } from './event.js';
import type { LegNumbers } from './headers.js';

/** The legs there are, each with all its headers, as `uuid_dump` gives them. */
export interface Listing {
  readonly legs: readonly ListedLeg[];
}
export interface ListedLeg {
  readonly id: LegId;
  readonly description: EslEvent;
  /** Its numbers when it began, from `show channels`. */
  readonly first: LegNumbers | undefined;
}

/**
 * The reply to `show channels as json`: `{"row_count":2,"rows":[…]}`, without `rows` when there is none. undefined: it is no such
 * list.
 */
export function readChannelList(reply: string): ReadonlyMap<LegId, LegNumbers> | undefined {
  const list = readJsonObject(reply);
  if (list === undefined || typeof list['row_count'] !== 'number') return undefined;
  const rows: unknown = list['rows'] ?? [];
  if (!Array.isArray(rows) || rows.length !== list['row_count']) return undefined;
  const legs = new Map<LegId, LegNumbers>();
  for (const row of rows as unknown[]) {
    const fields = typeof row === 'object' && row !== null ? (row as Record<string, unknown>) : {};
    const text = (key: string): string | undefined => {
      const value = fields[key];
      return typeof value === 'string' && value !== '' ? percentDecoded(value) : undefined;
    };
    const id = text('uuid');
    if (id === undefined) return undefined;
    const from = text('initial_cid_num');
    const dialled = text('initial_dest');
    legs.set(asLegId(id), { ...(from !== undefined && { from }), ...(dialled !== undefined && { dialled }) });
  }
  return legs;
}
