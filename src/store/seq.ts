/** A post's seq is epoch × this + a number: so it is unique without asking the database. 2^21 epochs fit into a safe integer. */
const POSTS_OF_AN_EPOCH = 2 ** 32;

export const seqOf = (epoch: number, n: number): number => epoch * POSTS_OF_AN_EPOCH + n;
/** Of the lead under which the post was committed. */
export const epochOf = (seq: number): number => Math.floor(seq / POSTS_OF_AN_EPOCH);
/** Its number within that lead. */
export const numberOf = (seq: number): number => seq % POSTS_OF_AN_EPOCH;
