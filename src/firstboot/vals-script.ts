import { PATHS } from './paths.ts';

/** Where the script lies that fills templates by the image's own vals. */
export const VALS_SCRIPT = '/usr/lib/ingot/vals-render';
/** Lists of files, one a service and one of the first boot: template, path, owner, group, mode by tabs. */
export const VALS_LISTS = '/usr/lib/ingot/files';

/**
 * `vals-render LIST`: fills every template before it writes a file, each as a whole, and tries again until it works;
 * `vals-render LIST COMMANDS`: then runs the lines of commands, and marks the first boot as done.
 */
export const VALS_RENDER = `#!/bin/sh
# Fills the templates of a list by vals, all of them before one is written; tries again until it works.
set -u
umask 077
list=$1
commands=\${2-}
work=
trap 'rm -rf "$work"' EXIT
trap 'exit 1' TERM INT

fill_all() {
  if [ -r ${PATHS.environment} ]; then
    set -a
    . ${PATHS.environment}
    set +a
  fi
  rm -rf "$work"
  work=$(mktemp -d /run/ingot-vals.XXXXXX) || return 1
  n=0
  while IFS='\t' read -r template path owner group mode; do
    n=$((n + 1))
    vals flatten -f "$template" >"$work/$n" 2>"$work/error" || {
      why=$(tail -n 1 "$work/error" | cut -c 1-300)
      return 1
    }
  done <"$list"
  n=0
  while IFS='\t' read -r template path owner group mode; do
    n=$((n + 1))
    why="$path could not be written"
    (umask 022 && mkdir -p "$(dirname "$path")") &&
      install -T -o "$owner" -g "$group" -m "$mode" "$work/$n" "$path.ingot-part" &&
      sync "$path.ingot-part" && mv -Tf "$path.ingot-part" "$path" || return 1
  done <"$list"
  [ -z "$commands" ] && return 0
  why="a command failed: see journalctl -u ingot-first-boot"
  sh -eu "$commands" || return 1
  why="${PATHS.done} could not be written"
  mkdir -p "$(dirname ${PATHS.done})" && sync && date -u >${PATHS.done}.part && sync ${PATHS.done}.part &&
    mv ${PATHS.done}.part ${PATHS.done} && sync "$(dirname ${PATHS.done})"
}

pause=1
until fill_all; do
  printf '\\r\\ningot: waiting: %s\\r\\n' "$why" | tee /dev/console
  sleep "$pause"
  pause=$((pause < 15 ? pause * 2 : 15))
done
`;

/** Where the script lies that says when an instance without the agent is ready. */
export const VALS_READY_SCRIPT = '/usr/lib/ingot/vals-ready';

/** `vals-ready SERVICE…`: says on the console what is missing, until all services run. */
export const VALS_READY = `#!/bin/sh
# Says on the console whether the services of this instance run.
set -u

say() {
  printf '\\r\\ningot: %s\\r\\n' "$1" | tee /dev/console
}

all_active() {
  for unit; do
    state=$(systemctl is-active -- "$unit") || {
      why="$unit is $state"
      return 1
    }
  done
}

pause=1
until all_active "$@"; do
  say "waiting: $why"
  sleep "$pause"
  pause=$((pause < 15 ? pause * 2 : 15))
done
read -r seconds _ </proc/uptime
say "ready in $seconds s"
`;
