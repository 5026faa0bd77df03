// OpenBao's own program: that of the PATH, or built once from Go modules and kept where the tests keep their tools
// (test/secrets/real-tools.ts).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ended, start } from './postgres/processes.mjs';

/** What starts it; builds it where it is not there. Throws where that can't be done. */
export async function openBao(root, say) {
  if (spawnSync('bao', ['version'], { stdio: 'ignore' }).status === 0) return 'bao';
  const source = join(root, 'test/fixtures/secrets/openbao');
  const names = readdirSync(source).sort();
  const hash = createHash('sha256');
  for (const name of names) hash.update(readFileSync(join(source, name)));
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ingot-test-tools');
  const path = join(cache, `openbao-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(path)) return path;
  say('building OpenBao from its Go modules, once; that takes up to 15 minutes');
  const folder = join(cache, 'build/openbao');
  mkdirSync(folder, { recursive: true });
  for (const name of names) copyFileSync(join(source, name), join(folder, name.replace('.txt', '')));
  const building = start('sh', ['build.sh', path], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  await ended(building).catch((cause) => {
    throw new Error(
      'OpenBao could not be built: install it (https://openbao.org/docs/install/), or Go 1.24 or newer, which it is built with',
      { cause },
    );
  });
  return path;
}
