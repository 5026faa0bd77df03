import { expect, test } from 'vitest';
import { reproducibilityText } from '../../src/cli/reproducibility-text.ts';

const file = (n: number) => ({ step: 'shell[1]', path: `/srv/${n}` });

test.each<[string, Parameters<typeof reproducibilityText>[0], RegExp[]]>([
  ['equal', { reproducible: true, differences: [] }, [/^reproducible: both builds gave the same bytes$/]],
  ['nothing compared', { differences: [] }, [/^not built again: the first build failed$/]],
  [
    'a file',
    { reproducible: false, differences: [{ image: 'web', formats: ['raw', 'oci'], files: [file(1)] }] },
    [/^web is not reproducible: raw, oci$/m, /^ {2}\/srv\/1 {2}\(first differs after shell\[1\]\)$/m],
  ],
  [
    'no file',
    { reproducible: false, differences: [{ image: 'web', formats: ['vhdx'], files: [] }] },
    [/the filesystems are equal; the difference arises in writing the output/],
  ],
  [
    'more files than are shown',
    {
      reproducible: false,
      differences: [{ image: 'web', formats: ['raw'], files: Array.from({ length: 23 }, (_, i) => file(i)) }],
    },
    [/and 3 more files/],
  ],
])('%s', (_what, report, expected) => {
  for (const pattern of expected) expect(reproducibilityText(report)).toMatch(pattern);
});
