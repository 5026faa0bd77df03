import { type CompletedCommand, RELEASES } from './model.ts';

/**
 * Completion for bash 4 and newer. Where it offers nothing, readline completes file names, and quotes them as they need it.
 * The word is taken from the line, since readline parts words at `@`, `=` and `:`, of which releases and flags are full.
 */
export function bash(verbs: readonly CompletedCommand[]): string {
  return `# bash completion for ingot
_ingot_offer() {
  local breaks=\${COMP_WORDBREAKS//[^@:=]/} cut= offered
  [[ -n $breaks ]] && cut=\${2%"\${2##*[$breaks]}"}
  # Names come from the store: what a shell would not take as it is, is not offered.
  for offered in $1; do
    [[ $offered == *[!A-Za-z0-9._/@+~-]* || $offered != "$2"* ]] || COMPREPLY+=("\${offered#"$cut"}")
  done
}
_ingot() {
  local IFS=$' \\t\\n' line=\${COMP_LINE:0:COMP_POINT} word before key= flags= words= i
  local -a typed
  COMPREPLY=()
  local -
  set -f
  read -ra typed <<<"$line"
  [[ $line == *[[:blank:]] ]] && typed+=('')
  word=\${typed[\${#typed[@]}-1]} before=\${typed[\${#typed[@]}-2]}
  for ((i = 1; i < \${#typed[@]} - 1; i++)); do
    [[ \${typed[i]} == -* ]] && continue
    case "$key \${typed[i]}" in
${caseLabels(verbs)}
    esac
  done
  [[ $word == --*=* ]] && before=\${word%%=*} word=\${word#*=}
  case "$key:$before" in
${verbs.flatMap((verb) => [verb, ...verb.subcommands].flatMap((c) => valueCases(c === verb ? c.name : `${verb.name} ${c.name}`, c))).join('\n')}
  esac
  case "$key" in
    '') words='${['help', ...verbs.map((verb) => verb.name)].join(' ')}' flags='--help --version' ;;
    help) words='${verbs.map((verb) => verb.name).join(' ')}' ;;
${verbs.flatMap((verb) => [offers(verb.name, verb), ...verb.subcommands.map((sub) => offers(`${verb.name} ${sub.name}`, sub))]).join('\n')}
  esac
  [[ $word == -* ]] && words=$flags
  _ingot_offer "$words" "$word"
}
complete -o bashdefault -o default -F _ingot ingot`;
}

/** Which words make up the key: a verb, and its subcommand. */
function caseLabels(verbs: readonly CompletedCommand[]): string {
  const first = ['help', ...verbs.map(({ name }) => name)].map((name) => `' ${name}'`);
  const second = verbs.flatMap(({ name, subcommands }) => subcommands.map((sub) => `'${name} ${sub.name}'`));
  return `      ${first.join(' | ')}) key=\${typed[i]} ;;
      ${second.join(' | ')}) key+=" \${typed[i]}" ;;`;
}

/** What comes behind flags that take a value: fixed words, or whatever readline finds. */
function valueCases(key: string, { flags }: CompletedCommand): string[] {
  const valued = flags.filter((flag) => flag.takesValue);
  const free = valued.filter((flag) => flag.values.length === 0).flatMap((flag) => flag.names);
  const fixed = valued.filter((flag) => flag.values.length > 0);
  return [
    ...fixed.map(
      ({ names, values }) =>
        `    ${labels(key, names)}) _ingot_offer '${values.join(' ')}' "$word"; return ;;`,
    ),
    ...(free.length > 0 ? [`    ${labels(key, free)}) return ;;`] : []),
  ];
}

function labels(key: string, names: readonly string[]): string {
  return names.map((name) => `'${key}:${name}'`).join(' | ');
}

function offers(key: string, { words, flags, argument, subcommands }: CompletedCommand): string {
  const fixed = [...subcommands.map((sub) => sub.name), ...words].join(' ');
  const releases = argument === 'release' || argument === 'image' ? `$(${RELEASES})` : '';
  const names = flags.flatMap((flag) => flag.names.filter((name) => name.startsWith('--')));
  return `    '${key}') words="${fixed}${releases}" flags='${names.join(' ')}' ;;`;
}
