import { ingotVersion } from '../app/package-root.ts';

// What scripts ask most often answers without loading anything; the rest of the program is one import away.
const argv = process.argv.slice(2);
if (argv.length === 1 && /^(version|-?-version|-v)$/.test(argv[0] as string)) {
  process.stdout.write(`ingot ${ingotVersion()}\n`);
} else {
  const { run } = await import('./run.ts');
  process.exitCode = await run(argv, process);
}
