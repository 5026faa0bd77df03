import type { Command } from 'commander';
import { optionWithDefault, parseGoDuration, wholeNumber } from './flag-values.ts';
import type { Cli } from './cli.ts';

/** What `ingot test IMAGE --exec COMMAND` was given. */
export interface ExecFlags {
  exec?: string;
  port: number[];
  timeout: number;
}

const port = wholeNumber(1, 65_535);
const appendPort = (text: string, before: number[]): number[] => [...before, port(text)];

export function addExecOptions(command: Command): Command {
  return command
    .option('--exec <command>', 'boot a copy of the disk image given, and run this command against it')
    .option(
      '--port <port>',
      'with --exec: a TCP port of the image to reach (may be repeated)',
      appendPort,
      [],
    )
    .addOption(
      optionWithDefault(
        '--timeout <duration>',
        'with --exec: longest time for the command',
        parseGoDuration,
        '10m',
      ),
    );
}

/** Runs what `--exec` asks for; its exit code is ours. false: it was not given. */
export async function runExecVerb(image: string, flags: ExecFlags, cli: Cli): Promise<boolean> {
  const { exec, port: ports, timeout } = flags;
  if (exec === undefined) return false;
  const { execOnImage } = await import('../app/exec-test.ts');
  cli.exitCode = await cli.report({ onStdout: true, lines: true }, (deps) =>
    execOnImage({ image, command: exec, ports, timeout }, deps),
  );
  return true;
}
