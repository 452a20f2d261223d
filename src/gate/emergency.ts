/** What is dialled before a number to hide or show that of the caller (`*31#`, `#31#`), and the key that ends it. */
const CODES = /^[*#]\d{1,3}[#*]|#$/gu;

/**
 * Says of a number, as it was dialled, whether it is one of an emergency. Behind a prefix for an outside line it still is one
 * (`0112`); such a call is never asked about and never rejected.
 * @param numbers e.g. 110, 112. @param prefixes what is dialled before them for an outside line, e.g. 0, 9.
 */
export function createEmergency(
  numbers: readonly string[],
  prefixes: readonly string[],
): (dialled: string | undefined) => boolean {
  const known = new Set(numbers.flatMap((number) => ['', ...prefixes].map((prefix) => `${prefix}${number}`)));
  return (dialled) => known.has((dialled ?? '').replace(/[\s().\-/]/gu, '').replace(CODES, ''));
}
