import { programName, versionText } from './program-name.ts';

// What scripts ask most often answers without loading anything; the rest of the program is one import away.
const argv = process.argv.slice(2);
const name = programName(process.argv[1]);
if (argv.length === 1 && /^(version|-?-version|-v)$/.test(argv[0] as string)) {
  process.stdout.write(`${versionText(name, argv[0] !== 'version')}\n`);
} else {
  const { run } = await import('./run.ts');
  process.exitCode = await run(argv, process, name);
}
