import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { RULES, within } from './rules.ts';

const packer = spawnSync('packer', ['version'], { encoding: 'utf8' });

// Slow, as it starts packer a hundred times.
test.skipIf(packer.status !== 0).each(RULES.map((r) => [r.name, r] as const))(
  'Debian’s packer agrees, but for what came later: %s',
  async (_, r) => {
    await within(r.files, (dir) => {
      const { status, stdout, stderr } = spawnSync(
        'packer',
        ['validate', ...(r.args ?? []), 't.json' in r.files ? 't.json' : '.'],
        {
          cwd: dir,
          encoding: 'utf8',
          env: { ...process.env, HOME: '/root', CHECKPOINT_DISABLE: '1', ...r.env },
        },
      );
      expect(status === 0, `${status} ${stdout}${stderr}`).toBe(r.since === undefined ? r.valid : !r.valid);
    });
  },
);
