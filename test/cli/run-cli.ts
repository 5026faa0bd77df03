import { run } from '../../src/cli/run.ts';

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command line in this process and keeps what it prints; no terminal is there. */
export async function runCli(
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
  stdin: NodeJS.ReadableStream = process.stdin,
): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  const code = await run(argv, {
    stdout: { write: (text) => void (stdout += text) },
    stderr: { write: (text) => void (stderr += text) },
    stdin: stdin as NodeJS.ReadStream,
    env,
  });
  return { code, stdout, stderr };
}
