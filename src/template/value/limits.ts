/** Parts of a single value, however they are nested. */
export const MAX_PARTS = 1_000_000;
/** So many characters of a text count as one part. */
export const CHARACTERS = 64;
/** Characters of the longest text. */
export const MAX_CHARACTERS = MAX_PARTS * CHARACTERS;
