import { fileURLToPath } from 'node:url';
import { pathsFrom } from '../app/paths.ts';
import { loadProgram } from './load-program.ts';
import { programName, versionText } from './program-name.ts';

// What scripts ask most often answers without loading anything; the rest of the program lies beside this file.
const argv = process.argv.slice(2);
const name = programName(process.argv[1]);
if (argv.length === 1 && /^(version|-?-version|-v)$/.test(argv[0] as string)) {
  process.stdout.write(`${versionText(name, argv[0] !== 'version')}\n`);
} else {
  const file = fileURLToPath(new URL('./program.cjs', import.meta.url));
  const program = loadProgram(file, pathsFrom(process.env).cacheDir, argv[0] ?? 'help');
  // Of a run that failed, much that a good one needs is not compiled; and what empties the cache puts nothing into it.
  if (argv[0] !== 'clean') process.once('exit', (code) => void (code === 0 && program.keep()));
  const { run } = program.exports as typeof import('./run.ts');
  process.exitCode = await run(argv, process, name);
}
