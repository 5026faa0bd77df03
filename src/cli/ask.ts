import { createInterface } from 'node:readline/promises';
import type { Cli } from './cli.ts';

type Answer = 'cleanup' | 'abort' | 'retry';

const answers: Readonly<Record<string, Answer>> = { c: 'cleanup', a: 'abort', r: 'retry' };

/**
 * Packer's question of `-on-error=ask`: clean up, leave everything as it is, or try the step again. Without a
 * terminal there is nobody to ask, and it cleans up.
 */
export function askOnError(cli: Cli): (step: { title: string }, error: Error) => Promise<Answer> {
  return async (step, error) => {
    const { stdin, stderr } = cli.io;
    if (!stdin.isTTY) return 'cleanup';
    const resume = cli.suspendReporter();
    const prompt = createInterface({ input: stdin, output: stderr as unknown as NodeJS.WritableStream });
    try {
      stderr.write(`\nStep "${step.title}" failed: ${error.message}\n`);
      stderr.write(
        '[c] Clean up and exit, [a] abort and leave everything as it is, or [r] retry the step?\n',
      );
      for (;;) {
        const answer = answers[(await prompt.question('[c/a/r] ')).trim().slice(0, 1).toLowerCase()];
        if (answer) return answer;
      }
    } finally {
      prompt.close();
      resume();
    }
  };
}

/** Packer's -debug: waits for Enter before each step. Without a terminal nobody can press it, and it goes on. */
export function askBeforeStep(cli: Cli): (step: { readonly title: string }) => Promise<void> {
  return async (step) => {
    const { stdin, stderr } = cli.io;
    if (!stdin.isTTY) return;
    const resume = cli.suspendReporter();
    const prompt = createInterface({ input: stdin, output: stderr as unknown as NodeJS.WritableStream });
    try {
      await prompt.question(`Next: ${step.title}. Press Enter to go on. `);
    } finally {
      prompt.close();
      resume();
    }
  };
}
