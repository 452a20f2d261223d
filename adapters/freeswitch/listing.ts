import { asLegId, type LegId } from '../../src/call/vocabulary.js';
import { type EslEvent, percentDecoded, readJsonObject } from './event.js';

/** The legs there are, each with all its headers, as `uuid_dump` gives them. */
export interface Listing {
  readonly legs: readonly ListedLeg[];
}
export interface ListedLeg {
  readonly id: LegId;
  readonly description: EslEvent;
  /** Its numbers when it began, from `show channels`. */
  readonly first: FirstNumbers | undefined;
}
export interface FirstNumbers {
  readonly from: string | undefined;
  readonly dialled: string | undefined;
}

/**
 * The reply to `show channels as json`: `{"row_count":2,"rows":[…]}`, without `rows` when there is none. undefined: it is no such
 * list.
 */
export function readChannelList(reply: string): ReadonlyMap<LegId, FirstNumbers> | undefined {
  const list = readJsonObject(reply);
  if (list === undefined || typeof list['row_count'] !== 'number') return undefined;
  const rows: unknown = list['rows'] ?? [];
  if (!Array.isArray(rows) || rows.length !== list['row_count']) return undefined;
  const legs = new Map<LegId, FirstNumbers>();
  for (const row of rows as unknown[]) {
    const fields = typeof row === 'object' && row !== null ? (row as Record<string, unknown>) : {};
    const text = (key: string): string | undefined => {
      const value = fields[key];
      return typeof value === 'string' && value !== '' ? percentDecoded(value) : undefined;
    };
    const id = text('uuid');
    if (id === undefined) return undefined;
    legs.set(asLegId(id), { from: text('initial_cid_num'), dialled: text('initial_dest') });
  }
  return legs;
}
