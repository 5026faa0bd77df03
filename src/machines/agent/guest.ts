/**
 * What a throwaway copy gets so that commands can be run in it without a network, an SSH server or a login: a shell loop
 * on the second serial port. A static unit wanted through /usr/lib, so that presets and `systemctl list-unit-files` know
 * nothing of it.
 */

/** A file of the guest's root. */
export interface GuestFile {
  /** Absolute. */
  readonly path: string;
  readonly content: string;
  /** Default 0644. */
  readonly mode?: number;
}

export const UNITS = '/usr/lib/systemd/system';
/** basic.target is on the way to every default target. */
export const WANTS_FOLDER = `${UNITS}/basic.target.wants`;

/** Most bytes of each stream that an answer holds. */
export const MAX_ANSWER = 1024 * 1024;
/** Begins every line of ours, among what firmware and kernel may write to the port. */
export const MARK = 'ingot-agent';

const SCRIPT_PATH = '/usr/lib/systemd/ingot-agent';

/**
 * A request is a line `ID base64-of-a-script`, an answer `MARK ID exit-code stdout stderr`, both streams in base64. Scripts
 * run side by side; whole answers are written one after the other.
 */
const SCRIPT = `#!/bin/sh
dir=/run/ingot-agent
mkdir -p -m 0700 "$dir" && cd / || exit 1
# Open all the time: what comes to a closed port is lost.
exec 3<>/dev/ttyS1
stty raw -echo <&3
printf '\\n${MARK} ready\\n' >&3
while read -r id script; do
  (
    at=$dir/$id
    printf %s "$script" | base64 -d >"$at.sh"
    sh "$at.sh" </dev/null >"$at.out" 2>"$at.err"
    code=$?
    {
      printf '\\n${MARK} %s %s ' "$id" "$code"
      head -c ${MAX_ANSWER} "$at.out" | base64 -w0
      printf ' '
      head -c ${MAX_ANSWER} "$at.err" | base64 -w0
      echo
    } >"$at.answer"
    flock "$dir/lock" cat "$at.answer" >&3
    rm -f "$at".*
  ) &
done <&3
`;

const UNIT = `[Unit]
Description=Commands of the Ingot tests
[Service]
Type=simple
ExecStart=/bin/sh ${SCRIPT_PATH}
`;

export const AGENT_FILES: readonly GuestFile[] = [
  { path: SCRIPT_PATH, content: SCRIPT },
  { path: `${UNITS}/ingot-agent.service`, content: UNIT },
];
export const AGENT_UNIT = 'ingot-agent.service';
