// npm run demo: builds, seals, boots and releases examples/web, and says what to try next. Arguments are passed on
// to `ingot build`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const began = performance.now();
const { status, signal } = spawnSync(
  process.execPath,
  ['bin/ingot', 'build', 'examples/web', ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);
if (status !== 0) process.exit(status ?? (signal === 'SIGINT' ? 130 : 1));

const seconds = Math.round((performance.now() - began) / 1000);
process.stdout.write(`
From a template to a released image in ${Math.floor(seconds / 60)} min ${seconds % 60} s. Now edit examples/web/harden.sh or
examples/web/site/index.html, and run npm run demo again: only what stands behind your edit runs.
`);
