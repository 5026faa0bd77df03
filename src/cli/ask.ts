import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import { imageOf } from '../reporters/image-of.ts';
import { TERMINAL, inTurn } from '../core/in-turn.ts';
import type { Cli } from './cli.ts';

interface Asked {
  readonly label: string;
  readonly title: string;
}

type Answer = 'cleanup' | 'abort' | 'retry';

const answers: Readonly<Record<string, Answer>> = { c: 'cleanup', a: 'abort', r: 'retry' };

/**
 * Packer's question of `-on-error=ask`: clean up, leave everything as it is, or try the step again. Without a
 * terminal there is nobody to ask, and it cleans up; so it does when the input ends, or the user stops us.
 */
export function askOnError(cli: Cli): (step: Asked, error: Error) => Promise<Answer> {
  return (step, error) =>
    inTurn(TERMINAL, async () => {
      const { stdin, stderr } = cli.io;
      if (!stdin.isTTY || cli.signal.aborted) return 'cleanup';
      const resume = cli.suspendReporter();
      try {
        stderr.write(`\n${imageOf(step.label)}: "${step.title}" failed: ${error.message}\n`);
        stderr.write(
          '[c] Clean up and exit, [a] abort and leave everything as it is, or [r] retry the step?\n',
        );
        for (;;) {
          const line = await ask(cli, '[c/a/r] ');
          if (line === undefined) return 'cleanup';
          const answer = answers[line.trim().slice(0, 1).toLowerCase()];
          if (answer) return answer;
        }
      } finally {
        resume();
      }
    });
}

/** Packer's -debug: waits for Enter before each step. Without a terminal nobody can press it, and it goes on. */
export function askBeforeStep(cli: Cli): (step: Asked) => Promise<void> {
  return async (step) => {
    if (!cli.io.stdin.isTTY) return;
    const resume = cli.suspendReporter();
    try {
      await ask(cli, `${imageOf(step.label)}: next is ${step.title}. Press Enter to go on. `);
      cli.signal.throwIfAborted();
    } finally {
      resume();
    }
  };
}

/** A line from the terminal; undefined when its input ends, or the user stops us. */
async function ask({ io, signal }: Cli, question: string): Promise<string | undefined> {
  const prompt = createInterface({
    input: io.stdin,
    output: io.stderr as unknown as NodeJS.WritableStream,
  });
  // The terminal hands Ctrl-C to the prompt; it means what it means everywhere.
  prompt.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  const closed = once(prompt, 'close').then(() => undefined);
  try {
    return await Promise.race([prompt.question(question, { signal }), closed]);
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  } finally {
    prompt.close();
  }
}
