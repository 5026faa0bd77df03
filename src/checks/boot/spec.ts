import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../../core/body-spec.ts';

const FIRMWARE = ['bios', 'uefi'];
const BUSES = ['virtio', 'nvme', 'ahci', 'pvscsi'];
/** Below this Debian's kernel does not unpack an initramfs made for any machine. */
const MIN_MEMORY = 256 * 1024 * 1024;

/** The body of `test "boot" { … }` in an image file. */
export const bootTestSpec = bodySpec(
  {
    firmware: attr.strings('Firmware to boot by, each once: `bios`, `uefi`.', { default: FIRMWARE }),
    seed: attr.string(
      'With a NoCloud seed, without one, or both ways: each firmware with the seed, the first also without.',
      { default: 'both', oneOf: ['both', 'with', 'without'] },
    ),
    timeout: attr.duration('Longest time from power on until the system has settled.', {
      default: 120_000,
      unhashed: true,
    }),
    memory: attr.size('Memory of the machine.', { default: 1024 * 1024 * 1024 }),
    cpus: attr.number('Processors of the machine; default: those of the host, at most 2.'),
    disk_bus: attr.string('Bus that the disk sits on.', { default: 'virtio', oneOf: BUSES }),
    accelerator: attr.string('`auto` takes KVM where it really works.', {
      default: 'auto',
      oneOf: ['auto', 'kvm', 'tcg'],
      unhashed: true,
    }),
    allow_failed: attr.strings('Units that may fail without failing the test.', { default: [] }),
  },
  {},
  (o) => {
    const problems: OptionProblem[] = [];
    if (o.firmware.length === 0) {
      problems.push({ path: ['firmware'], message: 'firmware is empty; expected "bios", "uefi" or both' });
    }
    for (const [i, name] of o.firmware.entries()) {
      if (!FIRMWARE.includes(name)) {
        problems.push({
          path: ['firmware', i],
          message: `firmware "${name}" is unknown; expected "bios" or "uefi"`,
        });
      } else if (o.firmware.indexOf(name) !== i) {
        problems.push({ path: ['firmware', i], message: `firmware "${name}" is named twice` });
      }
    }
    if (o.timeout <= 0) problems.push({ path: ['timeout'], message: 'timeout must be longer than 0' });
    if (o.memory < MIN_MEMORY) {
      problems.push({ path: ['memory'], message: `memory is ${o.memory} bytes; expected 256M at least` });
    }
    if (o.cpus !== undefined && !(Number.isInteger(o.cpus) && o.cpus >= 1 && o.cpus <= 64)) {
      problems.push({ path: ['cpus'], message: `cpus is ${o.cpus}; expected a whole number from 1 to 64` });
    }
    return problems;
  },
);

export type BootTestOptions = OptionsOf<typeof bootTestSpec>;
