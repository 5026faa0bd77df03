import { type CompletedCommand, RELEASES } from './model.ts';

/** Completion for zsh: works from a folder in `fpath` as well as sourced, also before `compinit` ran. */
export function zsh(verbs: readonly CompletedCommand[]): string {
  return `#compdef ingot
_ingot_releases() {
  local -a names
  names=(\${(f)"$(${RELEASES})"})
  compadd -a names
}
_ingot_images() {
  _alternative 'releases:release:_ingot_releases' 'files:file:_files'
}
_ingot() {
  local verb
${chooser(verbs)}
  verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
    help)
      compadd ${verbs.map(({ name }) => name).join(' ')}
      ;;
${verbs.map((verb) => (verb.subcommands.length > 0 ? nested(verb) : leaf(verb, 4))).join('\n')}
  esac
}
if [[ $funcstack[1] == _ingot ]]; then
  _ingot "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
  compdef _ingot ingot
fi`;
}

/** Offers names, with what each does, as long as none was chosen. */
function chooser(commands: readonly CompletedCommand[]): string {
  const described = commands.map(({ name, summary }) => `    '${name}:${quoted(summary)}'`);
  return `  if (( CURRENT == 2 )); then
    local -a choices
    choices=(
${described.join('\n')}
    )
    _describe 'command' choices
    return
  fi`;
}

function nested({ name, subcommands }: CompletedCommand): string {
  return `    ${name})
${chooser(subcommands)}
      verb=$words[2]
      shift words
      (( CURRENT-- ))
      case $verb in
${subcommands.map((sub) => leaf(sub, 8)).join('\n')}
      esac
      ;;`;
}

function leaf(command: CompletedCommand, indent: number): string {
  const blank = ' '.repeat(indent);
  const flags = command.flags.flatMap(({ names, summary, takesValue, values }) =>
    names.map((name) => {
      const choices = values.length > 0 ? `(${values.join(' ')})` : '_files';
      const mark = takesValue && name.startsWith('--') ? '=' : '';
      return `'*${name}${mark}[${quoted(summary)}]${takesValue ? `:value:${choices}` : ''}'`;
    }),
  );
  const specs = [...flags, ...rest(command)].map((spec) => `${blank}    ${spec}`);
  return `${blank}${command.name})\n${blank}  _arguments \\\n${specs.join(' \\\n')}\n${blank}  ;;`;
}

function rest({ words, argument }: CompletedCommand): string[] {
  if (words.length > 0) return [`'*:argument:(${words.join(' ')})'`];
  const action = { file: '_files', release: '_ingot_releases', image: '_ingot_images' };
  return argument === 'nothing' ? [] : [`'*:argument:${action[argument]}'`];
}

/** Text between single quotes; zsh's own separators are masked. */
function quoted(text: string): string {
  return text.replaceAll("'", "'\\''").replace(/[[\]:]/g, '\\$&');
}
