import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IngotError } from '../core/error.ts';
import { packageRoot } from './package-root.ts';

/** The boot agent, as it goes into images. Throws `firstboot/no-agent` in a checkout that was not built. */
export function readAgent(): Buffer {
  const path = join(packageRoot(), 'dist/agent.cjs');
  if (existsSync(path)) return readFileSync(path);
  throw new IngotError('firstboot/no-agent', `the boot agent is not built: there is no ${path}`, {
    hint: 'In a checkout run `npm run build`; an installed package has it.',
  });
}
