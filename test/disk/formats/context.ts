import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { Context } from '../../../src/core/context.ts';
import { frozenClock } from '../../../src/core/clock.ts';
import type { BuildEvent } from '../../../src/core/event.ts';
import type { Host, RunOptions, RunResult } from '../../../src/core/host.ts';

const TIME = 1_700_000_000;

/** Runs real programs; all that formats need of a host. */
export const run: Host['run'] = (command, args, options = {}) =>
  new Promise<RunResult>((resolve, reject) => {
    const child = spawn(command, [...args], {
      stdio: 'pipe',
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      env: { ...process.env, LC_ALL: 'C.UTF-8', ...options.env },
      signal: options.signal,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    feed(child.stdin, options.input);
    child.on('error', reject);
    child.on('close', (exitCode) => {
      const ok = options.okCodes === 'any' || (options.okCodes ?? [0]).includes(exitCode ?? -1);
      if (ok) resolve({ exitCode: exitCode ?? -1, stdout, stderr });
      else reject(new Error(`${command} ${args.join(' ')}: exit code ${exitCode}: ${stderr}`));
    });
  });

function feed(stdin: NodeJS.WritableStream, input: RunOptions['input']): void {
  // A program that ends early is told by its exit code.
  stdin.on('error', () => {});
  if (input instanceof Readable) input.pipe(stdin);
  else stdin.end(input ?? '');
}

/** A context whose scratch folder is `workDir`; events are kept in `events`. */
export function testContext(workDir: string, signal = new AbortController().signal) {
  mkdirSync(workDir, { recursive: true });
  const events: BuildEvent[] = [];
  const unused = () => {
    throw new Error('formats have no use for this');
  };
  const context: Context = {
    signal,
    emit: (event) => events.push(event),
    step: 'web/output',
    host: {
      run,
      start: unused,
      mountOverlay: unused,
      mountTmpfs: unused,
      mountDisk: unused,
      async scratch(parent, prefix) {
        const dir = mkdtempSync(`${parent}/${prefix}`);
        return { dir, [Symbol.asyncDispose]: async () => rmSync(dir, { recursive: true }) };
      },
      requireTool: (name) => name,
      requireRoot: () => {},
    },
    clock: frozenClock(TIME),
    secrets: { resolve: unused },
    workDir,
    cacheDir: workDir,
    epoch: TIME,
    templateDir: workDir,
  };
  return Object.assign(context, { events });
}
