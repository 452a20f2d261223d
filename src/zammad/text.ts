/** What Zammad's database takes as text, and what it does not. */

// C0, DEL and C1: a NUL is a 422, the others only spoil the caller log.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/gu;

/**
 * The text without control characters and outer blanks, cut at `limit` characters (code points, as PostgreSQL counts).
 * Lone surrogates become U+FFFD, so that the result is valid UTF-8. Undefined instead of an empty text: Zammad would
 * store `''` as a value.
 */
export function cleanText(text: string, limit: number): string | undefined {
  // Longer texts are cut before they are looked at closely; a code point has at most two units.
  const wellFormed = Buffer.from(text.slice(0, limit * 4), 'utf8').toString('utf8');
  const clean = wellFormed.replace(CONTROL, '').trim();
  const cut = clean.length <= limit ? clean : Array.from(clean).slice(0, limit).join('').trimEnd();
  return cut === '' ? undefined : cut;
}
