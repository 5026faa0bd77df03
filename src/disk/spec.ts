import { attr, blocks, bodySpec, type OptionProblem, type OptionsOf } from '../core/body-spec.ts';

/** Bump when the bytes of an assembled disk change. */
export const DISK_VERSION = 2;
/** Bump when what boot-config writes changes. */
export const BOOT_CONFIG_VERSION = 2;

const partitionSpec = bodySpec({
  size: attr.size('Size, such as "512M".', { required: true }),
  type: attr.string('What it is for.', { default: 'linux', oneOf: ['linux', 'swap'] }),
});

/** The `disk` block of an image file. */
export const diskSpec = bodySpec(
  {
    size: attr.size('Size of the disk, such as "4G"; by default the content and a third.'),
    firmware: attr.strings('What can boot it: bios, uefi or both.', { default: ['bios', 'uefi'] }),
    label: attr.string('Label of the root filesystem, at most 16 bytes.', { default: 'root' }),
    kernel_options: attr.strings('Options behind our own on the kernel command line.', { default: [] }),
    timeout: attr.number('Seconds that the boot menu waits.', { default: 0 }),
  },
  { partition: blocks(partitionSpec, { labels: ['name'], doc: 'An empty partition before root.' }) },
  (o): OptionProblem[] => {
    const problems: OptionProblem[] = [];
    const unknown = o.firmware.filter((f) => f !== 'bios' && f !== 'uefi');
    if (unknown.length > 0 || o.firmware.length === 0) {
      problems.push({
        path: ['firmware'],
        message: `expected "bios", "uefi" or both; got ${JSON.stringify(o.firmware)}`,
      });
    }
    if (Buffer.byteLength(o.label) > 16) {
      problems.push({
        path: ['label'],
        message: `an ext4 label has at most 16 bytes; ${JSON.stringify(o.label)} has more`,
      });
    }
    return problems;
  },
);

type SpecOptions = OptionsOf<typeof diskSpec>;

/** Decoded `disk` block; the labels of partitions are their names. */
export interface DiskOptions extends Omit<SpecOptions, 'partition'> {
  readonly partition: readonly { readonly name: string; readonly size: number; readonly type: string }[];
}
