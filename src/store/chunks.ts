/** Statements with thousands of parameters are refused by both databases; and few lengths let prepared ones be used again. */
export function* chunks<T>(list: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += size) yield list.slice(at, at + size);
}
