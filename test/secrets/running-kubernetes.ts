import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../scripts/free-port.mjs';
import { createFetch, type HttpAnswer } from '../../src/secrets/http.ts';
import { output, type Server, startServer, type Tool } from './real-tools.ts';

/** A certificate and its key, as files. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Kubernetes' API server with roles (RBAC) on, and nothing behind it: objects, tokens and who may read what; no node. */
export class RunningKubernetes implements AsyncDisposable {
  readonly address: string;
  /** The authority that signed the server's certificate, and signs those of users. */
  readonly authority: KeyPair;
  /** Tokens of two users. The first one may do everything, the second one nothing until a role says so. */
  readonly tokens = { admin: 'token-of-admin', reader: 'token-of-reader' };
  readonly #folder: string;
  readonly #fetch = createFetch({ attempts: 1 });
  #server: Server | undefined;

  static async start(tool: Tool): Promise<RunningKubernetes> {
    const kubernetes = new RunningKubernetes(
      mkdtempSync(join(tmpdir(), 'ingot-kubernetes-')),
      await freePort(),
    );
    await kubernetes.#start(tool);
    return kubernetes;
  }

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.address = `https://127.0.0.1:${port}`;
    this.authority = selfSigned(folder, 'authority', []);
  }

  async #start(tool: Tool): Promise<void> {
    const own = this.certificate('apiserver', '/CN=apiserver', 'IP:127.0.0.1,DNS:cluster.example');
    const users = join(this.#folder, 'users.csv');
    const { admin, reader } = this.tokens;
    writeFileSync(users, `${admin},admin,u1,system:masters\n${reader},reader,u2\n`);
    const flags = {
      'bind-address': '127.0.0.1',
      'advertise-address': '127.0.0.1',
      'secure-port': new URL(this.address).port,
      'tls-cert-file': own.cert,
      'tls-private-key-file': own.key,
      'client-ca-file': this.authority.cert,
      'token-auth-file': users,
      'authorization-mode': 'RBAC',
      'service-account-issuer': 'https://cluster.example',
      'service-account-key-file': own.key,
      'service-account-signing-key-file': own.key,
      'service-cluster-ip-range': '10.0.0.0/24',
      // It would wait for controllers, which are not there.
      'disable-admission-plugins': 'ServiceAccount',
      'endpoint-reconciler-type': 'none',
    };
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    const isReady = async (): Promise<boolean> => (await this.call('/readyz')).status === 200;
    this.#server = await startServer(tool.path, [join(this.#folder, 'etcd'), ...args], isReady);
  }

  /** A certificate that the cluster's authority signed. */
  certificate(name: string, subject: string, names?: string): KeyPair {
    const { cert, key } = this.authority;
    const alternative = names === undefined ? [] : ['-addext', `subjectAltName=${names}`];
    return selfSigned(this.#folder, name, ['-CA', cert, '-CAkey', key, ...alternative], subject);
  }

  /** Asks as one who may do everything. */
  call(path: string, body?: object): Promise<HttpAnswer> {
    return this.#fetch({
      url: new URL(path, this.address),
      headers: { authorization: `Bearer ${this.tokens.admin}`, 'content-type': 'application/json' },
      tls: { ca: readFileSync(this.authority.cert, 'utf8') },
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  /** Makes an object, and answers it as the server has it. */
  async create(path: string, body: object): Promise<Record<string, unknown>> {
    const { status, body: said } = await this.call(path, body);
    if (status !== 201) throw new Error(`${path}: ${said.toString()}`);
    return JSON.parse(said.toString()) as Record<string, unknown>;
  }

  /** A token of a service account, as a pod gets it (TokenRequest API). */
  async tokenOf(namespace: string, account: string): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`;
    const { status } = await this.create(path, { spec: { expirationSeconds: 600 } });
    return (status as { token: string }).token;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true });
  }
}

/** By itself, unless `more` names an authority. */
function selfSigned(folder: string, name: string, more: readonly string[], subject = `/CN=${name}`): KeyPair {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const files = ['-keyout', key, '-out', cert, '-subj', subject];
  output('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...files, ...more], { quiet: true });
  return { cert, key };
}
