import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { machineReadableLine } from '../../src/reporters/machine-readable.ts';
import { formatBytes, formatSeconds } from '../../src/reporters/quantities.ts';
import { wantsColor } from '../../src/reporters/style.ts';
import { renderSummary } from '../../src/reporters/summary.ts';
import { waitText } from '../../src/reporters/wait-text.ts';
import { cleanLine, cut, displayWidth, pad } from '../../src/reporters/terminal-text.ts';

test.each([
  [0, '0.0s'],
  [12.34, '12.3s'],
  [59.94, '59.9s'],
  [59.96, '1m 00s'],
  [125, '2m 05s'],
  [3720, '1h 02m'],
])('%f seconds are %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1536, '1.5 KiB'],
  [220_200_960, '210 MiB'],
  [1024 ** 3 - 1, '1.0 GiB'],
  [5 * 1024 ** 4, '5.0 TiB'],
  [5000 * 1024 ** 4, '5000 TiB'],
])('%i bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

describe('color', () => {
  const tty = { isTTY: true };
  test.each([
    [tty, {}, true],
    [{}, {}, false],
    [tty, { NO_COLOR: '1' }, false],
    [tty, { NO_COLOR: '' }, true],
    [{}, { FORCE_COLOR: '1' }, true],
    [tty, { FORCE_COLOR: '0' }, false],
    [tty, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
    [tty, { TERM: 'dumb' }, false],
  ])('%j with %j: %s', (stream, env, expected) => expect(wantsColor(stream, env)).toBe(expected));
});

describe('lines of programs', () => {
  test.each([
    ['\u001b[1;31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007x', 'x'],
    ['\u001b[2J\u001b[Hgone', 'gone'],
    ['10 %\r50 %\r100 %\r\r', '100 %'],
    ['a\tb', 'a  b'],
    ['\u202eevil', 'evil'],
  ])('%j is shown as %j', (line, shown) => expect(cleanLine(line)).toBe(shown));

  test('never hold a control character', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (line) => !/\p{Cc}/u.test(cleanLine(line))));
  });
});

test('texts are cut to their columns', () => {
  expect(cut('nginx', 5)).toBe('nginx');
  expect(cut('nginx', 4)).toBe('ngi…');
  expect(cut('漢字漢字', 5)).toBe('漢字…');
  expect(pad('漢字', 6)).toBe('漢字  ');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, width) => {
      return displayWidth(cut(text, width)) <= width && displayWidth(pad(text, width)) === width;
    }),
  );
});

test("machine-readable data come back out of Packer's escapes", () => {
  expect(machineReadableLine(1.9, 'web', 'ui', ['a,b', 'c\nd\r'])).toBe(
    '1,web,ui,a%!(PACKER_COMMA)b,c\\nd\\r\n',
  );
  fc.assert(
    fc.property(fc.array(fc.string()), (data) => {
      const line = machineReadableLine(0, 't', 'x', data);
      return line.indexOf('\n') === line.length - 1 && line.split(',').length === 3 + data.length;
    }),
  );
});

test.each([
  [
    { for: 'memory', needs: 2 * 2 ** 30, taken: 1.5 * 2 ** 30, of: 3 * 2 ** 30 },
    'waits for 2.0 GiB of memory: others have 1.5 GiB of 3.0 GiB (--max-memory)',
  ],
  [{ for: 'cpus', needs: 1, taken: 2, of: 2 }, 'waits for 1 CPU: others have 2 of 2 (--max-cpus)'],
  [{ for: 'builds', needs: 1, taken: 2, of: 2 }, 'waits: 2 builds run at once (-parallel-builds)'],
] as const)('why a build waits: %j', (shortage, text) => {
  expect(waitText({ type: 'build:wait', image: 'web', ...shortage })).toBe(text);
});

test('the summary tells of tests, outputs, release, cache and the next command', () => {
  const digest = `sha256:${'c0'.repeat(32)}`;
  const text = renderSummary(
    [
      {
        name: 'web',
        version: '1.2.0',
        status: 'done',
        outputs: [{ format: 'qcow2', path: 'output-web/web.qcow2', digest, size: 220_200_960 }],
        artifacts: [
          { description: 'web 1.2.0: qcow2', files: ['output-web/web.qcow2'] },
          { description: 'Created artifact from files: web.md5', files: ['web.md5'] },
        ],
        tests: [
          {
            label: 'web/boot',
            outcome: { passed: true, checks: [{ name: 'bios', passed: true, seconds: 13.2 }] },
          },
        ],
        release: { digest, store: 'oci-layout:/srv', existed: true },
        evidence: 'output-web/web-1.2.0.evidence.json',
        steps: { total: 9, cached: 7 },
        seconds: 31,
      },
    ],
    { color: false, next: ['ingot boot web@1.2.0'] },
  );
  expect(text).toBe(`
✓ web 1.2.0
  test     bios passed in 13.2s
  qcow2    output-web/web.qcow2  210 MiB  sha256:c0c0c0c0c0c0
  artifact Created artifact from files: web.md5
  release  web@1.2.0  sha256:c0c0c0c0c0c0 (was there already)
  store    oci-layout:/srv
  evidence output-web/web-1.2.0.evidence.json
  steps    9, 7 from the cache
  time     31.0s

Next
  ingot boot web@1.2.0
`);
});
