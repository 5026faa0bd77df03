/** Flags of `secrets exec` that take the next argument. */
const VALUED = new Set([
  '-f',
  '--f',
  '-file',
  '--file',
  '--stream-yaml',
  '-stream-yaml',
  '--timeout',
  '-timeout',
]);

/**
 * Puts `--` before the command that `ingot secrets exec` runs, as Go's flag package ends the flags at the first word: all
 * that follows belongs to the command, however it looks.
 */
export function separateChildCommand(argv: readonly string[]): string[] {
  const [verb, subcommand] = argv;
  if (verb !== 'secrets' || subcommand !== 'exec') return [...argv];
  let at = 2;
  while (at < argv.length && argv[at] !== '--' && (argv[at] as string).startsWith('-'))
    at += VALUED.has(argv[at] as string) ? 2 : 1;
  // A later -- belongs to the command: git checkout -- file.
  if (argv[at] === '--') return [...argv];
  return [...argv.slice(0, at), '--', ...argv.slice(at)];
}
