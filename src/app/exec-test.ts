import { realpathSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ExecTestOptions } from '../checks/exec.ts';
import { type Context, logLines } from '../core/context.ts';
import { IngotError } from '../core/error.ts';
import { inspectImage } from '../host/qemu-image.ts';
import { type AgentVm, startAgentVm } from '../machines/agent-vm.ts';
import { buildKey } from '../machines/vm/build-key.ts';
import { loginFiles, LOGIN_PORT, LOGIN_UNIT } from '../machines/agent/login.ts';
import type { TestOutcome } from '../plan/catalog.ts';
import { contextOf, imagePath } from './goss.ts';
import { recoverAll } from './recover.ts';
import { type Deps, openSession } from './session.ts';

export interface ExecRequest extends Omit<ExecTestOptions, 'env'> {
  /** Path of a raw or qcow2 disk. */
  readonly image: string;
}

/** `ingot test IMAGE --exec COMMAND`: answers the command's exit code. */
export async function execOnImage({ image, ...o }: ExecRequest, deps: Deps): Promise<number> {
  const session = openSession(deps);
  await recoverAll(session.paths);
  const ctx = { ...contextOf(session), step: 'exec' };
  return (await runOnBooted(imagePath(image), { ...o, env: {} }, ctx)).exitCode;
}

/** `test "exec" { … }` of an image file, on the disk that was built. */
export async function testExec(disk: string, o: ExecTestOptions, ctx: Context): Promise<TestOutcome> {
  const { exitCode, seconds, output } = await runOnBooted(disk, o, ctx);
  const passed = exitCode === 0;
  const message = `ended with ${exitCode}: ${output.at(-1) ?? 'no output'}`;
  return {
    passed,
    checks: [{ name: o.command, passed, seconds, ...(!passed && { message }) }],
    data: { command: o.command, exitCode, seconds, output: [...output] },
  };
}

interface Ran {
  readonly exitCode: number;
  readonly seconds: number;
  /** The last lines. */
  readonly output: readonly string[];
}

const KEPT_LINES = 100;

async function runOnBooted(disk: string, o: ExecTestOptions, ctx: Context): Promise<Ran> {
  ctx.host.requireRoot('to boot a copy of the image');
  await using scratch = await ctx.host.scratch(ctx.workDir, 'exec-');
  const copy = await bootForCommand(disk, o.ports, scratch.dir, ctx);
  await using _vm = copy.vm;
  return await runAgainst(copy, o, ctx);
}

/** A booted copy of an image, and the file of the key that it lets in. */
export interface ReachableCopy {
  readonly image: string;
  readonly vm: AgentVm;
  readonly key: string;
}

/** Boots a throwaway copy of a disk that lets root in by a key of this run, kept in `dir`. */
export async function bootForCommand(
  disk: string,
  ports: readonly number[],
  dir: string,
  ctx: Context,
): Promise<ReachableCopy> {
  const { privateKey, publicKey } = buildKey(dir);
  const key = join(dir, 'key');
  await writeFile(key, privateKey, { mode: 0o600 });
  const vm = await startAgentVm(
    {
      image: realpathSync(disk),
      facts: await inspectImage(disk),
      network: 'isolated',
      ports: [LOGIN_PORT, ...ports],
      files: loginFiles(publicKey),
      units: [LOGIN_UNIT],
    },
    ctx,
  );
  return { image: resolve(disk), vm, key };
}

/** Runs a command of the user's on this machine, told in its environment how to reach the copy. Throws `exec/timeout`. */
export async function runAgainst(copy: ReachableCopy, o: ExecTestOptions, ctx: Context): Promise<Ran> {
  const output: string[] = [];
  const log = logLines(ctx);
  const way = await wayIn(copy, o.ports, ctx);
  const began = performance.now();
  try {
    const { exitCode } = await ctx.host.run('sh', ['-c', o.command], {
      cwd: ctx.templateDir,
      // The user's own command runs as if typed: with the user's environment.
      env: { ...(process.env as Record<string, string>), ...o.env, ...way },
      okCodes: 'any',
      onLine(stream, line) {
        log(stream, line);
        output.push(line);
        if (output.length > KEPT_LINES) output.shift();
      },
      timeoutMs: o.timeout,
      signal: ctx.signal,
    });
    return { exitCode, seconds: (performance.now() - began) / 1000, output };
  } catch (error) {
    if (!(error instanceof IngotError && error.code === 'host/timeout')) throw error;
    throw new IngotError('exec/timeout', `the command did not end within ${o.timeout / 1000} s`, {
      hint: 'Give it more time: --timeout 30m, or timeout = "30m" in the image file.',
      output: output.slice(-20),
      cause: error,
    });
  }
}

/** The variables that tell the command where the machine is. */
async function wayIn(
  { image, vm, key }: ReachableCopy,
  ports: readonly number[],
  ctx: Context,
): Promise<Record<string, string>> {
  const leadsTo = (guest: number): string => String(vm.forwards.find((f) => f.guest === guest)?.host);
  const variables: Record<string, string> = { INGOT_TEST_IMAGE: image, INGOT_TEST_HOST: '127.0.0.1' };
  for (const port of ports) variables[`INGOT_TEST_PORT_${port}`] = leadsTo(port);
  const { exitCode } = await vm.communicator.exec(['systemctl', '-q', 'is-active', LOGIN_UNIT], {
    signal: ctx.signal,
  });
  if (exitCode !== 0) {
    const diagnostic = {
      code: 'exec/no-ssh',
      severity: 'warning' as const,
      message: 'the image has no sshd that starts: INGOT_TEST_PORT and INGOT_TEST_KEY are not set',
      hint: 'Install openssh-server in the image, or test it by its own ports alone.',
    };
    ctx.emit({ type: 'diagnostic', diagnostic });
    return variables;
  }
  const port = leadsTo(LOGIN_PORT);
  const unknown = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR';
  return {
    ...variables,
    INGOT_TEST_PORT: port,
    INGOT_TEST_USER: 'root',
    INGOT_TEST_KEY: key,
    // Shells cut it at blanks, and take quotes in it for characters.
    INGOT_TEST_SSH: `ssh -i ${key} -p ${port} ${unknown} root@127.0.0.1`,
  };
}
