import { describe, expect, it, test } from 'vitest';
import { bootTestSpec } from '../../../src/checks/boot/spec.ts';
import { planCases } from '../../../src/checks/boot.ts';

describe('planCases', () => {
  it.each<[string, boolean, string[]]>([
    ['both', true, ['bios, with seed', 'uefi, with seed', 'bios, without seed']],
    ['both', false, ['bios, without seed', 'uefi, without seed']],
    ['with', true, ['bios, with seed', 'uefi, with seed']],
    ['with', false, ['bios, with seed', 'uefi, with seed']],
    ['without', true, ['bios, without seed', 'uefi, without seed']],
  ])('seed %s, cloud-init %s', (seed, cloudInit, names) => {
    expect(
      planCases({ firmware: ['bios', 'uefi'], seed, clones: true }, cloudInit).map((c) => c.name),
    ).toEqual(names);
  });
});

test.each<[boolean, string[]]>([
  [true, ['uefi, with seed', 'uefi, with seed, a second clone']],
  [false, ['uefi, with seed']],
])('a single boot, clones %s', (clones, names) => {
  expect(planCases({ firmware: ['uefi'], seed: 'with', clones }, true).map((c) => c.name)).toEqual(names);
});

describe('bootTestSpec', () => {
  const check = bootTestSpec.check as unknown as (o: object) => { path: unknown }[];
  const good = { firmware: ['uefi'], timeout: 1, memory: 2 ** 30, cpus: undefined };

  it.each<[object, unknown[]]>([
    [{}, []],
    [{ firmware: [] }, [['firmware']]],
    [{ firmware: ['bios', 'coreboot'] }, [['firmware', 1]]],
    [{ firmware: ['bios', 'bios'] }, [['firmware', 1]]],
    [{ timeout: 0 }, [['timeout']]],
    [{ memory: 1024 }, [['memory']]],
    [{ cpus: 0 }, [['cpus']]],
    [{ cpus: 1.5 }, [['cpus']]],
    [{ parallel: 1 }, []],
    [{ parallel: 0 }, [['parallel']]],
  ])('%j', (change, paths) => {
    expect(check({ ...good, ...change }).map((p) => p.path)).toEqual(paths);
  });
});
