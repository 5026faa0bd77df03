import { attr, bodySpec, type OptionProblem, type OptionsOf } from '../../core/body-spec.ts';
import { DISK_BUSES } from '../../host/disk-bus.ts';

const FIRMWARE = ['bios', 'uefi'];
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
    timeout: attr.duration(
      'Longest time from power on until the system has settled; default 120s, emulated 300s.',
      {
        unhashed: true,
      },
    ),
    memory: attr.size('Memory of the machine.', { default: 1024 * 1024 * 1024 }),
    cpus: attr.number(
      'Processors of each machine; default: the cores of the host divided by the boots at once, at most 2.',
    ),
    disk_bus: attr.string('Bus that the disk sits on.', { default: 'virtio', oneOf: DISK_BUSES }),
    accelerator: attr.string('`auto` takes KVM where it really works.', {
      default: 'auto',
      oneOf: ['auto', 'kvm', 'tcg'],
      unhashed: true,
    }),
    expect_growth: attr.bool(
      'Whether the root filesystem must take the room of a larger disk on first boot.',
      {
        default: true,
      },
    ),
    clones: attr.bool('Whether to boot the image twice at least, and compare what tells machines apart.', {
      default: true,
    }),
    parallel: attr.number('Boots at once; default: as many as the host has cores and memory for.', {
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
    if (o.timeout !== undefined && o.timeout <= 0)
      problems.push({ path: ['timeout'], message: 'timeout must be longer than 0' });
    if (o.memory < MIN_MEMORY) {
      problems.push({ path: ['memory'], message: `memory is ${o.memory} bytes; expected 256M at least` });
    }
    if (o.cpus !== undefined && !(Number.isInteger(o.cpus) && o.cpus >= 1 && o.cpus <= 64)) {
      problems.push({ path: ['cpus'], message: `cpus is ${o.cpus}; expected a whole number from 1 to 64` });
    }
    if (o.parallel !== undefined && !(Number.isInteger(o.parallel) && o.parallel >= 1)) {
      problems.push({
        path: ['parallel'],
        message: `parallel is ${o.parallel}; expected a whole number from 1`,
      });
    }
    return problems;
  },
);

export type BootTestOptions = OptionsOf<typeof bootTestSpec>;
