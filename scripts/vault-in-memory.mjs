// Vault itself, by the small program in test/fixtures/secrets/vault-in-memory: in memory, unsealed. Built once from Go
// modules, and kept where the tests keep theirs (test/secrets/real-tools.ts).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Path of the program; builds it where it is not there. Throws where that can't be done. */
export function vaultInMemory(root, say) {
  const source = join(root, 'test/fixtures/secrets/vault-in-memory');
  const names = readdirSync(source).sort();
  const hash = createHash('sha256');
  for (const name of names) hash.update(readFileSync(join(source, name)));
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'ingot-test-tools');
  const path = join(cache, `vault-in-memory-${hash.digest('hex').slice(0, 12)}`);
  if (existsSync(path)) return path;
  say('building Vault 1.14.1 from its Go modules, once; that takes up to 15 minutes');
  const folder = join(cache, 'build/vault');
  mkdirSync(folder, { recursive: true });
  for (const name of names) copyFileSync(join(source, name), join(folder, name.replace('.txt', '')));
  const { status, error } = spawnSync('sh', ['build.sh', path], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (existsSync(path)) return path;
  throw new Error(
    error?.message ??
      `Vault could not be built (status ${status}): Go 1.21 or newer is needed, from https://go.dev/dl/`,
  );
}
