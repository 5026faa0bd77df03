import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type BootStage, stagesText } from '../../core/boot-stages.ts';
import { writeSecretFile } from '../../secrets/write-secret-file.ts';
import { PATHS } from '../paths.ts';
import type { AgentMachine } from './machine.ts';
import { makeFolder } from './make-folder.ts';

/** How an instance stands: /run/ingot/ready.json. */
export interface ReadyState {
  readonly state: 'waiting' | 'ready' | 'not ready';
  /** What is missing; empty when ready. */
  readonly missing: readonly string[];
  /** Seconds from the start of the machine until this was found. */
  readonly seconds: number;
  /** What the seconds went into, once it is ready. */
  readonly stages?: readonly BootStage[];
}

/** Longest line on the console. */
const LONGEST = 1000;
/** The same words are said again after this long, so that who looks at the console later sees them. */
const REPEAT_SECONDS = 60;

/**
 * Tells how things stand: a line on the console that begins with `ingot: ready`, `ingot: waiting:` or
 * `ingot: not ready:`, and the state file. The same is said once.
 */
export class Teller {
  readonly #machine: AgentMachine;
  #said = '';
  #saidAt = Number.NEGATIVE_INFINITY;

  constructor(machine: AgentMachine) {
    this.#machine = machine;
  }

  /** Whether it has told anything. */
  get hasTold(): boolean {
    return this.#said !== '';
  }

  async tell(
    state: ReadyState['state'],
    missing: readonly string[],
    stages?: readonly BootStage[],
  ): Promise<void> {
    const seconds = Math.round(this.#machine.uptime() * 10) / 10;
    // Everybody may read the state. It is masked whole: a secret that is cut or drawn together would not be known again.
    const words = missing.map((text) => oneLine(this.#machine.masked(text)));
    const path = this.#machine.place(PATHS.state);
    const content: ReadyState = { state, missing: words, seconds, ...(stages && { stages }) };
    try {
      await makeFolder(dirname(path));
      await writeSecretFile(path, `${JSON.stringify(content)}\n`, { mode: 0o644 });
    } finally {
      if (stages) this.#machine.say(`ingot: stages: ${oneLine(stagesText(stages))}`);
      this.#say(state === 'ready' ? 'ready' : `${state}: ${words.join('; ')}`, seconds);
    }
  }

  #say(text: string, seconds: number): void {
    if (text === this.#said && seconds - this.#saidAt < REPEAT_SECONDS) return;
    this.#machine.say(`ingot: ${text.slice(0, LONGEST)}${text === 'ready' ? ` in ${seconds} s` : ''}`);
    this.#said = text;
    this.#saidAt = seconds;
  }
}

/** How things stand; waiting where nothing was told yet. */
export async function readState(machine: Pick<AgentMachine, 'place'>): Promise<ReadyState> {
  const text = await readFile(machine.place(PATHS.state), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return { state: 'waiting', missing: ['the first boot has not begun'], seconds: 0 };
  return JSON.parse(text) as ReadyState;
}

/** Nothing from outside steers the console. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/\p{Cc}/gu, '\ufffd');
}
