import { describe, expect, it } from 'vitest';
import {
  type AccelerationFacts,
  chooseAcceleration,
  decideAcceleration,
  detectAcceleration,
} from '../../src/host/acceleration.ts';

describe('decideAcceleration', () => {
  const usable: AccelerationFacts = { architecture: 'x64', device: 'usable', modules: ['kvm', 'kvm_intel'] };

  it.each<[string, Partial<AccelerationFacts>, 'kvm' | 'tcg', RegExp]>([
    ['Intel', {}, 'kvm', /kvm_intel/],
    ['AMD', { modules: ['kvm', 'kvm_amd'] }, 'kvm', /kvm_amd/],
    ['pvm alone', { modules: ['kvm', 'kvm_pvm'] }, 'tcg', /kvm_pvm.*hang/],
    ['pvm beside a vendor module', { modules: ['kvm', 'kvm_intel', 'kvm_pvm'] }, 'tcg', /kvm_pvm/],
    ['no vendor module', { modules: ['kvm'] }, 'tcg', /neither kvm_intel nor kvm_amd/],
    ['no device', { device: 'absent' }, 'tcg', /no \/dev\/kvm/],
    ['no permission', { device: 'denied' }, 'tcg', /group kvm/],
    ['another architecture', { architecture: 'arm64' }, 'tcg', /arm64/],
  ])('%s', (_, facts, accel, reason) => {
    const found = decideAcceleration({ ...usable, ...facts });
    expect(found.accel).toBe(accel);
    expect(found.reason).toMatch(reason);
  });
});

describe('chooseAcceleration', () => {
  it('takes emulation when asked', async () => {
    expect((await chooseAcceleration('tcg')).accel).toBe('tcg');
  });

  it('refuses to pretend', async () => {
    const { accel } = await detectAcceleration();
    const demanded = chooseAcceleration('kvm');
    if (accel === 'kvm') expect((await demanded).accel).toBe('kvm');
    else await expect(demanded).rejects.toMatchObject({ code: 'qemu/no-kvm' });
  });
});
