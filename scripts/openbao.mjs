// OpenBao's own program: that of the PATH, or built once, as the tests build it (test/secrets/real-tools.ts).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { layOut, programPath } from './go-program.mjs';
import { ended, start } from './postgres/processes.mjs';

/** What starts it; builds it where it is not there. Throws where that can't be done. */
export async function openBao(root, say) {
  if (spawnSync('bao', ['version'], { stdio: 'ignore' }).status === 0) return 'bao';
  const source = join(root, 'test/fixtures/secrets/openbao');
  const path = programPath(source);
  if (existsSync(path)) return path;
  say('building OpenBao from its Go modules, once; that takes up to 15 minutes');
  const building = start('sh', ['build.sh', path], {
    cwd: layOut(source),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await ended(building).catch((cause) => {
    throw new Error(
      'OpenBao could not be built: install it (https://openbao.org/docs/install/), or Go 1.24 or newer, which it is built with',
      { cause },
    );
  });
  return path;
}
