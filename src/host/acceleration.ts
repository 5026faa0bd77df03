import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { arch } from 'node:os';
import { IngotError } from '../core/error.ts';

/** How QEMU runs x86-64 code here, and why, in one sentence for `ingot doctor`. */
export interface Acceleration {
  readonly accel: 'kvm' | 'tcg';
  readonly reason: string;
}

/** What the user may ask for; `auto` decides by {@link detectAcceleration}. */
export type AccelerationChoice = 'auto' | 'kvm' | 'tcg';

/** What the decision rests on. */
export interface AccelerationFacts {
  /** As `os.arch()` says it. */
  readonly architecture: string;
  readonly device: 'absent' | 'denied' | 'usable';
  /** Names in /sys/module that start with `kvm`; built-in modules are listed there too. */
  readonly modules: readonly string[];
}

/**
 * KVM only where a vendor module runs it on the processor's own virtualization. /dev/kvm alone proves nothing:
 * kvm_pvm (a hypervisor for guests without nested virtualization) opens it too, and stock kernels hang in it.
 */
export function decideAcceleration(facts: AccelerationFacts): Acceleration {
  const tcg = (reason: string): Acceleration => ({ accel: 'tcg', reason });
  if (facts.architecture !== 'x64') {
    return tcg(`the host is ${facts.architecture}, images are x86-64: emulation`);
  }
  if (facts.device === 'absent') return tcg('there is no /dev/kvm: emulation');
  if (facts.device === 'denied') {
    return tcg('/dev/kvm may not be opened by this user (add it to the group kvm): emulation');
  }
  if (facts.modules.includes('kvm_pvm')) {
    return tcg('/dev/kvm is served by the module kvm_pvm, in which stock kernels hang: emulation');
  }
  const vendor = facts.modules.find((name) => name === 'kvm_intel' || name === 'kvm_amd');
  if (vendor === undefined) {
    return tcg('/dev/kvm opens, but neither kvm_intel nor kvm_amd is loaded: emulation');
  }
  return { accel: 'kvm', reason: `/dev/kvm is served by ${vendor}: hardware acceleration` };
}

/** Looks at this machine. Opens nothing and starts nothing. */
export async function detectAcceleration(): Promise<Acceleration> {
  return decideAcceleration({
    architecture: arch(),
    device: await deviceState('/dev/kvm'),
    modules: (await readdir('/sys/module')).filter((name) => name.startsWith('kvm')).sort(),
  });
}

/** The user's choice made real. Throws `qemu/no-kvm` where KVM was demanded and this machine has none. */
export async function chooseAcceleration(choice: AccelerationChoice): Promise<Acceleration> {
  if (choice === 'tcg') return { accel: 'tcg', reason: 'emulation was asked for' };
  const found = await detectAcceleration();
  if (choice === 'kvm' && found.accel !== 'kvm') {
    throw new IngotError('qemu/no-kvm', `acceleration "kvm" was asked for, but ${found.reason}`, {
      hint: 'Use acceleration "auto", or run on a machine with kvm_intel or kvm_amd.',
    });
  }
  return found;
}

async function deviceState(path: string): Promise<AccelerationFacts['device']> {
  try {
    await access(path, constants.R_OK | constants.W_OK);
    return 'usable';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'absent' : 'denied';
  }
}
