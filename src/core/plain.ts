import type { Json } from './digest.ts';

/** A result as the data that JSON keeps of it. */
export function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
