import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hasErrors } from '../../../src/core/diagnostic.ts';
import { loadTemplate } from '../../../src/template/index.ts';
import { RULES, within } from './rules.ts';

const behind = (args: readonly string[] = [], flag: string): string[] =>
  args.flatMap((arg, i) => (arg === flag ? [args[i + 1] as string] : []));

test.each(RULES.map((r) => [`${r.valid ? 'valid' : 'invalid'}: ${r.name}`, r] as const))(
  '%s',
  async (_, r) => {
    await within(r.files, async (dir) => {
      const { diagnostics } = await loadTemplate({
        path: 't.json' in r.files ? join(dir, 't.json') : dir,
        vars: behind(r.args, '-var'),
        varFiles: behind(r.args, '-var-file').map((name) => join(dir, name)),
        env: { HOME: '/root', ...r.env },
      });
      const errors = diagnostics.filter((d) => d.severity === 'error').map((d) => d.message);
      expect([!hasErrors(diagnostics), errors]).toEqual([r.valid, r.valid ? [] : expect.anything()]);
    });
  },
);
