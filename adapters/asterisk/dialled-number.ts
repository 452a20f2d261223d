/**
 * A number that somebody has dialled; `s`, or a subroutine such as `gate-2`, is a place of the dialplan. An emergency call that came
 * through one must not pass for a call to it.
 */
const DIALLED = /^[+*#\d][-+*#\d\s().\/]*$/u;

export const isDialled = (text: string): boolean => DIALLED.test(text);
