import { type CompletedCommand, RELEASES } from './model.ts';

/** Completion for fish 3: `__ingot_at secrets eval` holds where these are the first words of the line that are no flags. */
export function fish(verbs: readonly CompletedCommand[]): string {
  const lines = verbs.flatMap((verb) => [
    describe('__ingot_just', verb),
    ...verb.subcommands.map((sub) => describe(`__ingot_just ${verb.name}`, sub)),
    ...details(verb.name, verb),
    ...verb.subcommands.flatMap((sub) => details(`${verb.name} ${sub.name}`, sub)),
  ]);
  return `# fish completion for ingot
function __ingot_words
    set -l words (commandline -opc)
    set -e words[1]
    string match -v -- '-*' $words
end
function __ingot_at
    set -l words (__ingot_words)
    for i in (seq (count $argv))
        test "$words[$i]" = "$argv[$i]"; or return 1
    end
end
function __ingot_just
    __ingot_at $argv; and test (count (__ingot_words)) -eq (count $argv)
end
function __ingot_releases
    ${RELEASES}
end
complete -c ingot -n __ingot_just -f -a help -d 'show the help of a verb'
complete -c ingot -n '__ingot_just help' -f -a '${verbs.map(({ name }) => name).join(' ')}'
${lines.join('\n')}`;
}

function describe(condition: string, { name, summary }: CompletedCommand): string {
  return `complete -c ingot -n '${condition}' -f -a ${name} -d ${quoted(summary)}`;
}

function details(path: string, { words, argument, flags, subcommands }: CompletedCommand): string[] {
  const here = `complete -c ingot -n '__ingot_at ${path}'`;
  const lines: string[] = [];
  if (argument === 'nothing' || subcommands.length > 0) lines.push(`${here} -f`);
  if (argument === 'release') lines.push(`${here} -f -a '(__ingot_releases)'`);
  if (argument === 'image') lines.push(`${here} -a '(__ingot_releases)'`);
  if (words.length > 0) lines.push(`${here} -f -a '${words.join(' ')}'`);
  for (const { names, summary, takesValue, values } of flags) {
    const spelled = names.map((name) =>
      name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
    );
    const value = values.length > 0 ? ` -x -a '${values.join(' ')}'` : takesValue ? ' -r -F' : '';
    lines.push(`${here} ${spelled.join(' ')}${value} -d ${quoted(summary)}`);
  }
  return lines;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
