export const shells = ['bash', 'zsh', 'fish'] as const;

/** What can be completed. */
export type CompletionModel = readonly {
  readonly name: string;
  readonly summary: string;
  /** Subcommands and fixed values of arguments. */
  readonly words: readonly string[];
  readonly flags: readonly {
    readonly name: string;
    readonly summary: string;
    readonly takesValue: boolean;
    readonly values: readonly string[];
  }[];
}[];

/** A completion script for a shell, complete in itself: completing starts no process. */
export function completionScript(shell: (typeof shells)[number], model: CompletionModel): string {
  switch (shell) {
    case 'bash':
      return bash(model);
    case 'zsh':
      return zsh(model);
    case 'fish':
      return fish(model);
  }
}

function bash(model: CompletionModel): string {
  const values = model.flatMap(({ name, flags }) =>
    flags
      .filter((flag) => flag.values.length > 0)
      .map(
        (flag) =>
          `    ${name}:${flag.name}) COMPREPLY=($(compgen -W '${flag.values.join(' ')}' -- "$word")); return ;;`,
      ),
  );
  const verbs = model.map(({ name, words, flags }) => {
    const all = [...words, ...flags.map((flag) => flag.name), '--help'];
    return `    ${name}) words='${all.join(' ')}' ;;`;
  });
  return `# bash completion for ingot
_ingot() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} verb=\${COMP_WORDS[1]} words=
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${['help', ...model.map((verb) => verb.name)].join(' ')}' -- "$word"))
    return
  fi
  case "$verb:$before" in
${values.join('\n')}
  esac
  case "$verb" in
    help) COMPREPLY=($(compgen -W '${model.map((verb) => verb.name).join(' ')}' -- "$word")); return ;;
${verbs.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
  [[ $word == -* ]] || COMPREPLY+=($(compgen -f -- "$word"))
}
complete -o filenames -F _ingot ingot`;
}

/** Text between single quotes; zsh's own separators are masked. */
function zshQuoted(text: string): string {
  return text.replaceAll("'", "'\\''").replace(/[[\]:]/g, '\\$&');
}

function zsh(model: CompletionModel): string {
  const verbs = model.map(({ name, summary }) => `    '${name}:${zshQuoted(summary)}'`);
  const cases = model.map(({ name, words, flags }) => {
    const specs = flags.map((flag) => {
      const choices = flag.values.length > 0 ? `(${flag.values.join(' ')})` : '_files';
      return `        '*${flag.name}[${zshQuoted(flag.summary)}]${flag.takesValue ? `:value:${choices}` : ''}'`;
    });
    const rest = words.length > 0 ? `(${words.join(' ')})` : '_files';
    return `    ${name})\n      _arguments \\\n${[...specs, `        '*:argument:${rest}'`].join(' \\\n')}\n      ;;`;
  });
  return `#compdef ingot
_ingot() {
  local -a verbs
  verbs=(
${verbs.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe 'verb' verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
${cases.join('\n')}
  esac
}
compdef _ingot ingot`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

function fish(model: CompletionModel): string {
  const lines = ['# fish completion for ingot'];
  for (const { name, summary } of model) {
    lines.push(`complete -c ingot -n __fish_use_subcommand -f -a ${name} -d ${fishQuoted(summary)}`);
  }
  for (const { name, words, flags } of model) {
    const condition = `-n '__fish_seen_subcommand_from ${name}'`;
    if (words.length > 0) lines.push(`complete -c ingot ${condition} -f -a '${words.join(' ')}'`);
    for (const flag of flags) {
      const value =
        flag.values.length > 0 ? ` -x -a '${flag.values.join(' ')}'` : flag.takesValue ? ' -r' : '';
      lines.push(
        `complete -c ingot ${condition} -l ${flag.name.replace(/^--/, '')}${value} -d ${fishQuoted(flag.summary)}`,
      );
    }
  }
  return lines.join('\n');
}
