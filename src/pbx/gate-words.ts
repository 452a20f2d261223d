/** What a dialplan says of the agents and the queue of a call that waits at the gate: foreign text, made harmless and bounded. */

const LONGEST_LIST = 200;
/** Of an extension or a queue's name, in characters. */
const LONGEST_WORD = 100;

export const wordOf = (text: string): string => text.replace(/[\u0000-\u001f\u007f]/gu, '').slice(0, LONGEST_WORD);

/** `100,101`, `100&101` or `100 101`. */
export const listOf = (text: string): readonly string[] =>
  text
    .split(/[,&\s]+/u)
    .map(wordOf)
    .filter((word) => word !== '')
    .slice(0, LONGEST_LIST);

/**
 * A number that somebody has dialled; `s`, or a name such as `gate-2`, is a place of the dialplan. An emergency call that came
 * through one must not pass for a call to it.
 */
const DIALLED = /^[+*#\d][-+*#\d\s().\/]*$/u;

export const isDialled = (text: string): boolean => DIALLED.test(text);
