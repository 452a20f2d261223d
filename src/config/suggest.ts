/** Edits (insert, delete, replace, swap of neighbours) that turn one word into the other. */
function distance(a: string, b: string): number {
  const rows: number[][] = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  const at = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let j = 0; j <= b.length; j += 1) (rows[0] ?? [])[j] = j;
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      let cost = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, at(i - 2, j - 2) + 1);
      (rows[i] ?? [])[j] = cost;
    }
  }
  return at(a.length, b.length);
}

const LONGEST = 60;

/** The known word that was probably meant: `; did you mean "trunks"?`, or nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  const plain = (text: string): string => text.toLowerCase().replace(/[-_]/g, '');
  // Numbers are all near each other.
  if (word.length > LONGEST || /^\d+$/.test(word)) return '';
  const [best] = known
    .map((candidate) => ({ candidate, far: distance(plain(word), plain(candidate)) }))
    .filter(({ candidate, far }) => far <= Math.max(1, Math.floor(Math.min(candidate.length, word.length) / 3)))
    .sort((a, b) => a.far - b.far);
  return best === undefined ? '' : `; did you mean "${best.candidate}"?`;
}
