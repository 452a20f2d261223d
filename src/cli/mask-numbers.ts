/** Longer runs of digits are outside numbers; ids and time stamps hold a dot or stand behind `0x` and are left alone. */
const NUMBER = /(?<![\d.xa-fA-F-])(\+?)(\d{6,20})(?![\d.])/g;
const SHOWN = 3;

/**
 * Replaces digits of outside numbers in a stream of bytes: all but the last three, by digits drawn once for each number, so
 * that the same number stays the same and its length too. Text that is cut in the middle of a number waits for its rest.
 * @param random 0 up to 1.
 */
export function maskNumbers(random: () => number = Math.random): (bytes: Uint8Array) => Uint8Array {
  const known = new Map<string, string>();
  let rest = '';
  const masked = (digits: string): string => {
    let fake = known.get(digits);
    if (fake === undefined) {
      const hidden = digits.slice(0, -SHOWN).replace(/\d/g, () => String(Math.floor(random() * 10)));
      fake = `${hidden}${digits.slice(-SHOWN)}`;
      if (known.size < 100_000) known.set(digits, fake);
    }
    return fake;
  };
  return (bytes) => {
    const text = rest + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    // Only whole lines: a number is never cut then.
    const end = text.lastIndexOf('\n') + 1;
    rest = text.slice(end);
    const whole = text
      .slice(0, end)
      .split('\n')
      .map((line) =>
        /^(?:Uniqueid|Linkedid|\w*Uniqueid|\w*Linkedid|Timestamp|EventTV|SessionTV|SessionID|ActionID):/i.test(line)
          ? line
          : line.replace(NUMBER, (_, plus: string, digits: string) => plus + masked(digits)),
      )
      .join('\n');
    return Buffer.from(whole, 'latin1');
  };
}
