/** The least of a 64-bit ELF program with Go's build information (elf(5), debug/buildinfo of Go 1.18 and later). */
export function goProgram(version: string, lines: readonly string[]): Buffer {
  const text = `${'s'.repeat(16)}${lines.join('\n')}\n${'e'.repeat(16)}`;
  const info = Buffer.concat([
    Buffer.from('\xff Go buildinf:\x08\x02', 'latin1'),
    Buffer.alloc(16),
    withLength(version),
    withLength(text),
  ]);
  const names = Buffer.from('\0.go.buildinfo\0.shstrtab\0');
  const HEADER = 64;
  const table = HEADER + info.length + names.length;
  const header = Buffer.alloc(HEADER);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeBigUInt64LE(BigInt(table), 40);
  header.writeUInt16LE(64, 58);
  header.writeUInt16LE(3, 60);
  header.writeUInt16LE(2, 62);
  const section = (name: number, offset: number, size: number): Buffer => {
    const entry = Buffer.alloc(64);
    entry.writeUInt32LE(name, 0);
    entry.writeBigUInt64LE(BigInt(offset), 24);
    entry.writeBigUInt64LE(BigInt(size), 32);
    return entry;
  };
  return Buffer.concat([
    header,
    info,
    names,
    Buffer.alloc(64),
    section(1, HEADER, info.length),
    section(15, HEADER + info.length, names.length),
    Buffer.alloc(65_536),
  ]);
}

function withLength(text: string): Buffer {
  const bytes: number[] = [];
  for (let n = text.length; ; n >>= 7) {
    bytes.push((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
    if (n <= 0x7f) break;
  }
  return Buffer.concat([Buffer.from(bytes), Buffer.from(text)]);
}
