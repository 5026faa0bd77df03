import { pack } from 'tar-stream';

/** An ar(5) archive of the members. */
export function ar(members: readonly (readonly [string, Buffer])[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from('!<arch>\n')];
  for (const [name, data] of members) {
    const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(data.length).padEnd(10)}\`\n`;
    parts.push(Buffer.from(header), data, Buffer.alloc(data.length % 2, '\n'));
  }
  return Buffer.concat(parts);
}

/** A tar of files (mode 0755) and, where the name ends in a slash, folders. */
export async function tarOf(entries: readonly (readonly [string, string])[]): Promise<Buffer> {
  const tar = pack();
  for (const [name, text] of entries) {
    tar.entry({ name, mode: 0o755, type: name.endsWith('/') ? 'directory' : 'file' }, text);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
