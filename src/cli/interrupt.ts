import { ExitCode } from '../core/error.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Calls `first` when the user stops us. A second time ends the process at once; what it then leaves behind is
 * recovered by its leases. Answers a function that gives the signals back.
 */
export function onInterrupt(first: () => void): () => void {
  let asked = false;
  const handler = (): void => {
    if (asked) process.exit(ExitCode.Interrupted);
    asked = true;
    first();
  };
  for (const signal of signals) process.on(signal, handler);
  return () => {
    for (const signal of signals) process.off(signal, handler);
  };
}
