import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { uptime } from 'node:os';
import { IngotError } from '../core/error.ts';
import { openFiller } from '../firstboot/agent/fill.ts';
import type { AgentMachine } from '../firstboot/agent/machine.ts';
import { renderFiles } from '../firstboot/agent/render.ts';
import { type ReadyState, readState } from '../firstboot/agent/state.ts';
import { type FileOptions, type FirstBootConfig, NO_FIRST_BOOT } from '../firstboot/config.ts';
import { PATHS } from '../firstboot/paths.ts';
import { runUserCommand } from '../host/user-command.ts';
import { createMask } from './mask.ts';

/** What the boot agent gets from its command line. */
export interface AgentDeps {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  /** A line for the journal. */
  readonly print: (line: string) => void;
  readonly stdin: () => Promise<string>;
}

/** The boot agent's verbs, on the machine that it runs on. */
export interface Agent {
  firstBoot(): Promise<void>;
  ready(): Promise<void>;
  renderService(unit: string): Promise<void>;
  renderFile(file: FileOptions): Promise<void>;
  /** Waits to be asked for what a start of the machine needs, until that is ready. */
  attend(): Promise<void>;
  /** Answers when the server is there; it goes on until the process ends. */
  serve(): Promise<void>;
  status(): Promise<ReadyState>;
  get(text: string): Promise<string>;
  environment(file: string, isExported: boolean): Promise<string>;
  exec(file: string, argv: readonly string[]): Promise<number>;
}

/** Pauses between attempts, in milliseconds. */
const PAUSES = { first: 500, longest: 15_000 };

/** Verbs for people load more than those that a start of the machine waits for. */
const secrets = () => import('./secrets.ts');

/** Opens the machine. Throws `firstboot/no-config` where the verb needs what the image does not have. */
export async function openAgent(deps: AgentDeps): Promise<Agent> {
  const config = await readConfig();
  const machine = openMachine(config, deps);
  const reading = async () => ({ env: (await openFiller(machine)).env, signal: deps.signal });
  return {
    firstBoot: async () => (await import('../firstboot/agent/first-boot.ts')).runFirstBoot(machine),
    ready: async () => (await import('../firstboot/agent/ready.ts')).becomeReady(machine),
    renderService: async (unit) =>
      (await import('../firstboot/agent/first-boot.ts')).renderService(unit, machine),
    attend: async () =>
      (await import('../firstboot/agent/attend.ts')).attend(machine, (print, startedAt) =>
        openMachine(config, { ...deps, print }, startedAt),
      ),
    renderFile: async (file) => renderFiles([file], await openFiller(machine), machine),
    async serve() {
      const { ready } = machine.config;
      if (ready?.http_port === undefined) {
        throw new IngotError('firstboot/no-config', `${PATHS.config} names no http_port`, {
          hint: 'Add http_port to the ready block of the image file.',
        });
      }
      const { serveState } = await import('../firstboot/agent/serve-state.ts');
      await serveState(machine, ready.http_port, ready.http_address);
    },
    status: () => readState(machine),
    get: async (text) => (await secrets()).getSecret(text, await reading()),
    environment: async (file, isExported) =>
      (await secrets()).envSecrets({ file, stdin: deps.stdin }, { ...(await reading()), isExported }),
    exec: async (file, argv) =>
      (await secrets()).execSecrets(argv, {
        ...(await reading()),
        input: { file, stdin: deps.stdin },
        inherit: true,
        mask: false,
      }),
  };
}

/** What the image says; where it has no `first_boot` block, the agent still reads references. */
async function readConfig(): Promise<FirstBootConfig> {
  const text = await readFile(PATHS.config, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? NO_FIRST_BOOT : (JSON.parse(text) as FirstBootConfig);
}

function openMachine(
  config: FirstBootConfig,
  { env, signal, print }: AgentDeps,
  startedAt?: number,
): AgentMachine {
  const mask = createMask();
  const note = (line: string): void => print(mask.hide(line));
  return {
    config,
    env,
    signal,
    note,
    place: (path) => path,
    hide: (secret) => mask.add(secret),
    masked: (text) => mask.hide(text),
    now: () => new Date(),
    uptime,
    get startedAt() {
      return startedAt ?? startOfProcess();
    },
    pauses: PAUSES,
    say(line) {
      note(line);
      writeToConsole(mask.hide(line), note);
    },
    async run([command = '', ...args], { env: own = {}, input, timeoutMs, quiet } = {}) {
      const lines: string[] = [];
      const { exitCode, stdout } = await runUserCommand(command, args, {
        env: own,
        okCodes: 'any',
        signal,
        ...(input !== undefined && { input }),
        ...(timeoutMs !== undefined && { timeoutMs }),
        onLine(_stream, line) {
          if (quiet) return;
          if (lines.length < 1000) lines.push(mask.hide(line));
          note(line);
        },
      });
      return { exitCode, output: quiet ? stdout : lines.join('\n') };
    },
  };
}

/** In seconds from the machine's start: proc(5), /proc/[pid]/stat, field 22, in hundredths of a second. */
function startOfProcess(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[19]) / 100;
}

/** A console that is not there, as in some containers, is no reason to fail. */
function writeToConsole(line: string, note: (line: string) => void): void {
  try {
    const file = openSync(PATHS.console, constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
    try {
      // What the kernel or a login prompt wrote before may have no line end.
      writeSync(file, `\r\n${line}\r\n`);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    note(`${PATHS.console}: ${(error as Error).message}`);
  }
}
