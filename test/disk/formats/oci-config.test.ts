import { expect, test } from 'vitest';
import { imageConfig } from '../../../src/disk/formats/oci-config.ts';
import { readSettings } from '../../../src/disk/oci/container-settings.ts';
import { OCI } from './options.ts';

const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const configOf = (base: object, options: object = {}) =>
  imageConfig({
    options: { ...OCI, ...options },
    base: readSettings(base),
    labels: { ours: '1' },
    diffIds: [],
    epoch: 0,
  }).config;

test.each<[string, object, object, object]>([
  ['nothing said', {}, {}, { Cmd: ['/bin/sh'], Env: [PATH], WorkingDir: '/', Labels: { ours: '1' } }],
  [
    'variables: the base’s order, values given, new ones by name',
    { Env: ['B=1', 'A=x=y', 'broken'] },
    { env: { Z: '1', C: '2', B: '3' } },
    { Cmd: ['/bin/sh'], Env: [PATH, 'B=3', 'A=x=y', 'C=2', 'Z=1'] },
  ],
  ['an entrypoint of the base alone', { Entrypoint: ['/e'] }, {}, { Entrypoint: ['/e'] }],
  [
    'a command over the base’s entrypoint',
    { Entrypoint: ['/e'], Cmd: ['a'] },
    { cmd: ['b'] },
    { Entrypoint: ['/e'], Cmd: ['b'] },
  ],
  ['an entrypoint over the base’s command', { Cmd: ['a'] }, { entrypoint: ['/e'] }, { Entrypoint: ['/e'] }],
  ['both taken away', { Entrypoint: ['/e'], Cmd: ['a'] }, { entrypoint: [], cmd: [] }, {}],
  [
    'what was said of the base',
    { Labels: { 'dev.ingot.ancestry': 'x', ours: '0', theirs: '2' } },
    {},
    { Cmd: ['/bin/sh'], Labels: { ours: '1', theirs: '2' } },
  ],
  [
    'root over the base’s user',
    { User: 'web', WorkingDir: '/a' },
    { user: '', working_dir: '/b' },
    { Cmd: ['/bin/sh'], WorkingDir: '/b' },
  ],
])('%s', (_what, base, options, expected) => {
  const empty = { Env: [PATH], WorkingDir: '/', Labels: { ours: '1' } };
  expect(configOf(base, options)).toEqual({ ...empty, ...expected });
});

test('settings of other types are passed over', () => {
  const wrong = {
    User: 1,
    Env: 'A=1',
    Cmd: [1, 'a'],
    Labels: { a: 1, b: 'c' },
    ExposedPorts: ['80'],
    Healthcheck: [],
  };
  expect(readSettings(wrong)).toEqual({ Cmd: ['a'], Labels: { b: 'c' } });
  expect(readSettings(null)).toEqual({});
});
