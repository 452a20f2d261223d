import { asLegId, type LegId } from '../../src/call/vocabulary.js';
import { type EslEvent, percentDecoded, readJsonObject } from './event.js';
import * as header from './headers.js';

/** The legs there are, each with all its headers, as `uuid_dump` gives them. */
export interface Listing {
  readonly legs: readonly ListedLeg[];
}
export interface ListedLeg {
  readonly id: LegId;
  readonly description: EslEvent;
  /** Its numbers when it began, from `show channels`. */
  readonly first: header.LegNumbers | undefined;
}

/**
 * The reply to `show channels as json`: `{"row_count":2,"rows":[…]}`, without `rows` when there is none. undefined: it is no such
 * list.
 */
export function readChannelList(reply: string): ReadonlyMap<LegId, header.LegNumbers> | undefined {
  const list = readJsonObject(reply);
  if (list === undefined || typeof list['row_count'] !== 'number') return undefined;
  const rows: unknown = list['rows'] ?? [];
  if (!Array.isArray(rows) || rows.length !== list['row_count']) return undefined;
  const legs = new Map<LegId, header.LegNumbers>();
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

/** A leg that hung up so long ago, and is still there, is held by somebody who does not let its socket go (`linger`). */
const LINGERS_MS = 5_000;

/** Of a leg that is described: nothing more is to come of it. */
export function isOver(description: EslEvent): boolean {
  if (!header.isHungUp(description)) return false;
  const since = header.endingSince(description) ?? Number.POSITIVE_INFINITY;
  return header.isHungUpByFarEnd(description) || (header.stampOf(description) ?? 0) - since > LINGERS_MS;
}

/** Two legs that are bridged, as a description says it. */
export interface ListedPair {
  readonly pair: readonly [LegId, LegId];
  /** Event-Sequence of the description. */
  readonly sequence: number;
}

/** Who is bridged with whom, in the order in which it came about: what both sides say is newer than what only one still says. */
export function pairsIn(descriptions: ReadonlyMap<LegId, EslEvent>): readonly ListedPair[] {
  const found = [...descriptions].flatMap(([id, description]) => {
    const name = header.partnerOfDump(description);
    if (name === undefined) return [];
    const partner = asLegId(name);
    const other = descriptions.get(partner);
    const mutual = other !== undefined && header.partnerOfDump(other) === id;
    const pair: readonly [LegId, LegId] = [id, partner];
    return [{ pair, sequence: header.sequenceOf(description), mutual }];
  });
  return found.toSorted((a, b) => Number(a.mutual) - Number(b.mutual));
}
