import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { layOut, programPath, TOOLS } from '../../scripts/go-program.mjs';

/** Go modules of the tools that `go install` makes. */
const GO_TOOLS: Readonly<Record<string, string>> = {
  age: 'filippo.io/age/cmd/age@v1.2.1',
  'age-keygen': 'filippo.io/age/cmd/age-keygen@v1.2.1',
  'fake-gcs-server': 'github.com/fsouza/fake-gcs-server@v1.56.1',
  sops: 'github.com/getsops/sops/v3/cmd/sops@v3.13.3',
  vals: 'github.com/helmfile/vals/cmd/vals@v0.46.1',
};

export interface Tool {
  readonly path: string;
  /** Why it is not there; its tests are skipped with that reason. */
  readonly missing?: string;
}

/**
 * Building Vault, OpenBao, Kubernetes, Consul, sops and vals takes more than half an hour on two cores: `npm run test:partners` does it once, and from
 * then on every run of the tests uses them.
 */
const TO_BUILD = 'it is not built yet: `npm run test:partners` builds it, once, in up to 15 minutes';
const mayBuild = process.env.INGOT_TEST_TOOLS === 'build';

/** A tool written in Go. */
export function goTool(name: string): Tool {
  const path = join(TOOLS, name);
  if (existsSync(path)) return { path };
  if (!mayBuild) return { path, missing: TO_BUILD };
  const env = { ...process.env, GOBIN: TOOLS };
  return make(path, 'go', ['install', GO_TOOLS[name] as string], { env });
}

/** Vault itself, by the small program in test/fixtures/secrets/vault-in-memory: in memory, unsealed. */
export const vaultServer = (): Tool => goProgram('secrets/vault-in-memory');

/** Kubernetes' own API server, with its etcd. */
export const kubernetesServer = (): Tool => goProgram('secrets/kubernetes');

/** OpenBao's own program: `bao`. */
export const openBao = (): Tool => goProgram('secrets/openbao');

/** The scanner grype; beside it, as `…-database`, what makes a database for it (test/fixtures/scan/grype). */
export const grype = (): Tool => goProgram('scan/grype');

/** The scanner trivy; beside it, as `…-database`, what makes a database for it (test/fixtures/scan/trivy). */
export const trivy = (): Tool => goProgram('scan/trivy');

/** A program of a folder of test/fixtures, made by its build.sh. */
function goProgram(folder: string): Tool {
  const source = join(import.meta.dirname, '../fixtures', folder);
  const path = programPath(source);
  if (existsSync(path)) return { path };
  if (!mayBuild) return { path, missing: TO_BUILD };
  return make(path, 'sh', ['build.sh', path], { cwd: layOut(source) });
}

/** Consul's own program. Its module has no command of its own to install, so that a module around it is built. */
export function consulServer(): Tool {
  const path = join(TOOLS, 'consul-1.12.9');
  if (existsSync(path)) return { path };
  if (!mayBuild) return { path, missing: TO_BUILD };
  const folder = join(TOOLS, 'build/consul');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'go.mod'),
    'module ingot.test/consul\n\nrequire github.com/hashicorp/consul v1.12.9\n',
  );
  writeFileSync(
    join(folder, 'tools.go'),
    '//go:build tools\n\npackage tools\n\nimport _ "github.com/hashicorp/consul"\n',
  );
  const script = 'go mod tidy && go build -o "$1" github.com/hashicorp/consul';
  return make(path, 'sh', ['-c', script, 'sh', path], { cwd: folder });
}

/** moto, which speaks for AWS, in a Python environment of its own. */
export function moto(): Tool {
  const path = join(TOOLS, 'moto/bin/moto_server');
  if (existsSync(path)) return { path };
  const script = 'python3 -m venv "$1" && "$1/bin/pip" -q install "moto[server]"';
  return make(path, 'sh', ['-c', script, 'sh', join(TOOLS, 'moto')], {});
}

/** drongo, which speaks for Google Cloud, in a Python environment of its own. */
export function drongo(): Tool {
  const path = join(TOOLS, 'drongo/bin/drongo');
  if (existsSync(path)) return { path };
  // Its Cloud KMS loads google-crc32c, which it does not ask for.
  const script = 'python3 -m venv "$1" && "$1/bin/pip" -q install drongo==0.8.0 google-crc32c';
  return make(path, 'sh', ['-c', script, 'sh', join(TOOLS, 'drongo')], {});
}

/** Google's own clients for Secret Manager and Cloud KMS: a folder of packages, at `path`. */
export const googleClients = (): Tool =>
  npmPackages('google-clients', ['@google-cloud/secret-manager@6.1.3', '@google-cloud/kms@5.7.0']);

/** An emulator of Google's login: a folder of packages, at `path`. */
export const googleLogin = (): Tool => npmPackages('google-login', ['@emulators/google@0.4.1']);

function npmPackages(name: string, packages: readonly string[]): Tool {
  const folder = join(TOOLS, name);
  const path = join(folder, 'node_modules');
  if (existsSync(path)) return { path };
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder, ...packages];
  return make(path, 'npm', args, {});
}

/** Azurite, which speaks for Azure Blob Storage. */
export function azurite(): Tool {
  const path = join(TOOLS, 'azurite/node_modules/.bin/azurite-blob');
  if (existsSync(path)) return { path };
  const folder = join(TOOLS, 'azurite');
  return make(path, 'npm', ['install', '--no-audit', '--no-fund', '--prefix', folder, 'azurite@3.37.0'], {});
}

function make(
  path: string,
  command: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string },
): Tool {
  mkdirSync(TOOLS, { recursive: true });
  const { status, stderr, error } = spawnSync(command, args, {
    ...options,
    encoding: 'utf8',
    timeout: 1_800_000,
  });
  if (existsSync(path)) return { path };
  return {
    path,
    missing: error?.message ?? `${command} ended with ${status}: ${stderr.trim().split('\n').at(-1)}`,
  };
}

export interface Server extends AsyncDisposable {
  /** What it printed on standard output until now. */
  output(): string;
}

/** Starts a server and waits until `isReady` says yes. Disposing ends it. */
export async function startServer(
  command: string,
  args: readonly string[],
  isReady: (output: string) => Promise<boolean> | boolean,
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  // It lives for several tests: its file ends it, and no single test must take it for its leak.
  const { INGOT_TEST_OWNER: _, ...own } = process.env;
  const child = spawn(command, args, { env: { ...own, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (data: Buffer) => void (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => void (errors += data.toString()));
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const end = Date.now() + 60_000;
  while (!(await Promise.resolve(isReady(output)).catch(() => false))) {
    if (child.exitCode !== null || Date.now() > end) {
      child.kill('SIGKILL');
      throw new Error(`${command} did not start: ${errors.slice(-500)}`);
    }
    await sleep(100);
  }
  return {
    output: () => output,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs a tool and answers its output. */
export function output(
  path: string,
  args: readonly string[],
  {
    quiet,
    ...options
  }: { env?: NodeJS.ProcessEnv; input?: string | Buffer; cwd?: string; quiet?: boolean } = {},
): Buffer {
  return execFileSync(path, args, { ...options, maxBuffer: 64 << 20, ...(quiet && { stdio: 'pipe' }) });
}
