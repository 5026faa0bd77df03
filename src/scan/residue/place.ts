import type { Host } from '../../core/host.ts';

/** A partition of a disk, in bytes. */
export interface PlacedPartition {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

/** What lies at a place of a raw disk, for a person. */
export class DiskPlaces {
  readonly #host: Host;
  readonly #disk: string;
  readonly #partitions: readonly PlacedPartition[];

  constructor(host: Host, disk: string, partitions: readonly PlacedPartition[]) {
    this.#host = host;
    this.#disk = disk;
    this.#partitions = partitions;
  }

  /** `/etc/motd`, `a free block of the partition root (byte 123 of the disk)`, … */
  async describe(offset: number): Promise<string> {
    const partition = this.#partitions.find((p) => offset >= p.offset && offset < p.offset + p.size);
    if (!partition) return `byte ${offset} of the disk, outside of its partitions`;
    const place = `the partition ${partition.name} (byte ${offset} of the disk)`;
    const block = Math.floor((offset - partition.offset) / (await this.#blockSize(partition)));
    const inode = /^\s*\d+\s+(\d+)\s*$/m.exec(await this.#debugfs(partition, `icheck ${block}`))?.[1];
    if (inode === undefined) {
      const free = /not in use/.test(await this.#debugfs(partition, `testb ${block}`));
      return free ? `a free block of ${place}` : place;
    }
    const path = new RegExp(`^${inode}\\s+(/.*)$`, 'm').exec(
      await this.#debugfs(partition, `ncheck ${inode}`),
    )?.[1];
    return path?.replace(/^\/\//, '/') ?? `inode ${inode} of ${place}`;
  }

  async #blockSize(partition: PlacedPartition): Promise<number> {
    const stats = await this.#debugfs(partition, 'show_super_stats -h');
    return Number(/^Block size:\s+(\d+)$/m.exec(stats)?.[1] ?? 4096);
  }

  /** debugfs(8) reads the filesystem by itself: nothing is mounted. It answers 0 whatever it found. */
  async #debugfs(partition: PlacedPartition, request: string): Promise<string> {
    const argv = ['-R', request, `${this.#disk}?offset=${partition.offset}`];
    return (await this.#host.run('debugfs', argv, { okCodes: 'any' })).stdout;
  }
}
