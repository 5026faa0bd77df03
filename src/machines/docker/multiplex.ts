/** A frame's header: stream (1 stdout, 2 stderr), three zeros, length in big-endian (Docker Engine API, "Stream format"). */
const HEADER = 8;

/** Splits what an exec or attach without a terminal gives into its two streams. */
export async function* demultiplex(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly stream: 'stdout' | 'stderr'; readonly data: Buffer }> {
  let rest: Buffer = Buffer.alloc(0);
  let left = 0;
  let stream: 'stdout' | 'stderr' = 'stdout';
  for await (const chunk of source) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    for (;;) {
      if (left === 0) {
        if (rest.length < HEADER) break;
        stream = rest[0] === 2 ? 'stderr' : 'stdout';
        left = rest.readUInt32BE(4);
        rest = rest.subarray(HEADER);
        continue;
      }
      if (rest.length === 0) break;
      const data = rest.subarray(0, left);
      rest = rest.subarray(data.length);
      left -= data.length;
      yield { stream, data };
    }
  }
}
