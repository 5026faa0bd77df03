import { PATHS } from './paths.ts';

/** The unit of the agent that waits from the start of the machine until it is ready. */
export const WAITING_UNIT = 'ingot-agent.service';

/** Where the script lies that asks the waiting agent. */
export const ASK = '/usr/lib/ingot/ask';

/**
 * `ask first-boot`, `ask render UNIT`, `ask ready`: has the waiting agent do it, prints what that says, and ends with its
 * exit code; where none waits, or it has ended meanwhile, it becomes an agent of its own. A request is a line: the verb,
 * when this process was started (proc(5), /proc/[pid]/stat, field 22), its id, by which the pipe of the answer is named,
 * and the unit. In an answer, lines to print begin with `-`, the last one is `=` and the exit code, and `!` says that the
 * agent has ended: `ask ended`, which systemd runs then, tells it to all who still wait.
 *
 * Who waits does so without a timeout: bash's `read -t` leaves half a line behind, or loses a byte, when the time is up
 * within one.
 */
export const ASK_TEXT = `#!/bin/bash
# Has the agent that waits since the start of the machine do something; where none waits, starts one.
if [[ $1 == ended ]]; then
  rm -f ${PATHS.ask}
  for answer in ${PATHS.answers}*; do
    # The agent may have ended within a line.
    [[ ! -p $answer ]] || printf '\\n!\\n' 1<>"$answer"
  done
  exit 0
fi
if [[ -p ${PATHS.ask} ]]; then
  answer=${PATHS.answers}$$
  read -r -a stat </proc/self/stat
  weight=/sys/fs/cgroup/system.slice/${WAITING_UNIT}/cpu.weight
  [[ ! -w $weight ]] || echo 1000 >"$weight"
  # Opened for both directions, a pipe waits for nobody. Held open, it keeps the request until the agent has started.
  # Where the agent's pipe is still there, \`ask ended\` is yet to come, and finds that of the answer.
  if mkfifo -m 600 "$answer" && exec 3<>"$answer" 4<>${PATHS.ask} && [[ -p ${PATHS.ask} ]] &&
    printf '%s\\n' "$1 \${stat[21]} $$ \${2-}" >&4; then
    while IFS= read -r line <&3; do
      case $line in
        =*) exit "\${line#=}" ;;
        -*) printf '%s\\n' "\${line#-}" ;;
        '!') break ;;
      esac
    done
  fi
  rm -f "$answer"
fi
exec ${PATHS.command} "$@"
`;

/**
 * Node takes seconds to start on a slow processor, most of which is compiling its own library: it does so while cloud-init
 * works, and with what that leaves of the processor. Who asks
 * for something gives it the first place: that is short, and services wait for it.
 */
export const WAITING_UNIT_TEXT = `[Unit]
Description=Ingot's agent, waiting to be asked
DefaultDependencies=no
After=local-fs.target
Before=shutdown.target
Conflicts=shutdown.target

[Service]
RuntimeDirectory=ingot
RuntimeDirectoryPreserve=yes
ExecStartPre=-/usr/bin/mkfifo -m 600 ${PATHS.ask}
ExecStart=${PATHS.command} attend
ExecStopPost=${ASK} ended
# What a command of the first boot has started lives on.
KillMode=process
CPUWeight=1
`;
