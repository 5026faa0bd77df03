import { describe, expect, test } from 'vitest';
import { compareClones } from '../../../src/checks/boot/clones.ts';
import type { GuestReport } from '../../../src/checks/boot/report.ts';
import type { BootCaseResult } from '../../../src/checks/boot/result.ts';

const clone = (name: string, report?: Partial<GuestReport>): BootCaseResult => ({
  name,
  firmware: 'bios',
  seed: false,
  status: 'passed',
  findings: [],
  console: [],
  ...(report && {
    report: {
      state: 'running',
      failedUnits: [],
      failedLogs: [],
      enabledUnits: [],
      firstBoot: true,
      machineId: `id of ${name}`,
      hostname: 'localhost',
      osRelease: {},
      kernel: '6.1',
      systemdSeconds: 1,
      stages: [],
      uptime: 1,
      sizes: undefined,
      cloudInit: undefined,
      sshKeys: [`256 SHA256:of-${name} root@localhost (ED25519)`],
      identity: { '/var/lib/systemd/random-seed': `seed of ${name}`, 'instance-id': name },
      ...report,
    },
  }),
});

describe('compareClones', () => {
  test('machines of their own', () => {
    expect(compareClones([clone('a', {}), clone('b', {}), clone('c', {})])).toEqual({
      compared: [
        '/etc/machine-id',
        '/var/lib/systemd/random-seed',
        'instance-id',
        'the SSH host key of type ED25519',
      ],
      equal: [],
    });
  });

  test.each<[string, Partial<GuestReport>, RegExp]>([
    ['machine id', { machineId: 'id of a' }, /^\/etc\/machine-id is the same in the boots "a" and "b"/],
    [
      'host key, whatever its comment says',
      { sshKeys: ['256 SHA256:of-a root@elsewhere (ED25519)'] },
      /^the SSH host key of type ED25519 is the same/,
    ],
    [
      'random seed',
      { identity: { '/var/lib/systemd/random-seed': 'seed of a' } },
      /^\/var\/lib\/systemd\/random-seed is the same/,
    ],
  ])('a common %s', (_, of, sentence) => {
    const { equal } = compareClones([clone('a', {}), clone('b', of)]) ?? { equal: [] };
    expect(equal).toEqual([expect.stringMatching(sentence)]);
  });

  test('each pair that has something in common is named', () => {
    const same = { machineId: 'x' };
    const result = compareClones([clone('a', same), clone('b', {}), clone('c', same), clone('d', same)]);
    expect(result?.equal.map((s) => s.match(/"(.)"/g)?.join(''))).toEqual(['"a""c"', '"a""d"', '"c""d"']);
  });

  test('boots that did not report are left out; one alone proves nothing', () => {
    expect(compareClones([clone('a'), clone('b', {})])).toBeUndefined();
    expect(compareClones([])).toBeUndefined();
    expect(compareClones([clone('a'), clone('b', {}), clone('c', {})])?.equal).toEqual([]);
  });
});
