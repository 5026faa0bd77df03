import { FactError } from '../system.ts';

/** Output of a command beyond this is not kept by communicators. */
const MAX_OUTPUT = 1024 * 1024;

/** Refuses an output of which only the beginning was kept. */
export function whole(text: string): string {
  if (Buffer.byteLength(text) >= MAX_OUTPUT)
    throw new FactError(`the output is longer than ${MAX_OUTPUT} bytes; let the command cut it`);
  return text;
}
