import type { Param, ParamMap } from './parameters.js';

/** The request is refused with 400 and an empty body, as Rails does with parameters it cannot make sense of. */
export class BadParameters extends Error {}

const MAX_DEPTH = 32;
const MAX_FIELDS = 4096;
type Building = string | Building[] | { [name: string]: Building };
type BuildingMap = Record<string, Building>;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes bytes as UTF-8. Throws BadParameters when they are not. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw new BadParameters('a parameter is not valid UTF-8', { cause: error });
  }
}

function decodeComponent(latin1: string): string {
  const plain = latin1.replaceAll('+', ' ');
  if (/%(?![0-9a-fA-F]{2})/.test(plain)) throw new BadParameters('a parameter has an invalid %-encoding');
  const bytes = plain.replace(/%([0-9a-fA-F]{2})/g, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return decodeUtf8(Buffer.from(bytes, 'latin1'));
}

/** `user[]` → ['user', '']; `a[b][c]` → ['a', 'b', 'c']; an empty step means "one more of the list". */
function steps(name: string): string[] {
  const first = /^[^[]+/.exec(name)?.[0];
  if (first === undefined) return [name];
  const rest = name.slice(first.length);
  if (!/^(\[[^[\]]*\])*$/.test(rest)) return [name];
  const path = [first, ...Array.from(rest.matchAll(/\[([^[\]]*)\]/g), (match) => match[1] ?? '')];
  if (path.length > MAX_DEPTH) throw new BadParameters(`a parameter is nested deeper than ${MAX_DEPTH} levels`);
  return path;
}

const emptyMap = (): BuildingMap => Object.create(null) as BuildingMap;

function put(map: BuildingMap, [name = '', ...rest]: readonly string[], value: string): void {
  const held = map[name];
  const [next, ...after] = rest;
  if (next === undefined) {
    map[name] = value; // `user=A&user=B` and `user[]=A&user=B`: the last one wins
  } else if (next === '') {
    const list = held ?? (map[name] = []);
    if (!Array.isArray(list)) throw new BadParameters(`"${name}" is given both as one value and as a list`);
    const last = list.at(-1);
    const [key] = after;
    if (key === undefined) list.push(value);
    else if (last !== undefined && isMap(last) && last[key] === undefined) put(last, after, value);
    else {
      const item = emptyMap();
      put(item, after, value);
      list.push(item);
    }
  } else {
    const child = held ?? (map[name] = emptyMap());
    if (!isMap(child)) throw new BadParameters(`"${name}" is given both as one value and as an object`);
    put(child, rest, value);
  }
}

const isMap = (value: Building): value is BuildingMap => typeof value === 'object' && !Array.isArray(value);

/** Collects named values the way Rack does: `user[]` makes a list, of equal plain names the last one counts. */
export class FieldCollector {
  readonly #map = emptyMap();
  #count = 0;
  add(name: string, value: string): void {
    this.#count += 1;
    if (this.#count > MAX_FIELDS) throw new BadParameters(`more than ${MAX_FIELDS} parameters`);
    if (name !== '') put(this.#map, steps(name), value);
  }
  result(): ParamMap {
    return this.#map satisfies Record<string, Param>;
  }
}

/** Reads `application/x-www-form-urlencoded` text (bytes as latin1) or a query string. Throws BadParameters. */
export function parseForm(latin1: string): ParamMap {
  const fields = new FieldCollector();
  for (const pair of latin1.split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    fields.add(decodeComponent(at < 0 ? pair : pair.slice(0, at)), at < 0 ? '' : decodeComponent(pair.slice(at + 1)));
  }
  return fields.result();
}
