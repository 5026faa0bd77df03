import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { isMap } from '../document.ts';
import { readYaml } from '../read-yaml.ts';
import type { Tls } from '../http.ts';
import type { Request, Surroundings } from '../provider.ts';
import { notConfigured } from '../refusal.ts';
import { serviceUrl } from '../service-url.ts';

/** How to reach an API server, and as whom. */
export interface Cluster {
  readonly url: URL;
  readonly tls: Tls;
  readonly headers: Readonly<Record<string, string>>;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The pod's own cluster with `inCluster`; otherwise that of a kubeconfig. Throws `secrets/not-configured`. */
export function clusterOf(request: Request, around: Surroundings): Promise<Cluster> {
  const inCluster = request.params.has('inCluster');
  const path = request.param('kubeConfigPath');
  const context = request.param('kubeContext');
  return around.once(['kubernetes', inCluster, path, context], async () =>
    inCluster ? await ownCluster(around) : await configuredCluster(path, context, around),
  );
}

async function ownCluster(around: Surroundings): Promise<Cluster> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = around.env;
  if (!host || !port)
    throw notConfigured('k8s', 'this is no pod: KUBERNETES_SERVICE_HOST is not set', 'Leave inCluster out.');
  const [token, ca] = await Promise.all(
    ['token', 'ca.crt'].map((name) => readFile(join(SERVICE_ACCOUNT, name), 'utf8')),
  );
  around.hide((token as string).trim());
  const url = serviceUrl('k8s', `https://${host.includes(':') ? `[${host}]` : host}:${port}`, 'the pod');
  return { url, tls: { ca: ca as string }, headers: bearer((token as string).trim()) };
}

type Fields = Readonly<Record<string, unknown>>;

/** A context of a kubeconfig file (Kubernetes, kubeconfig v1). */
async function configuredCluster(
  named: string | undefined,
  wanted: string | undefined,
  around: Surroundings,
): Promise<Cluster> {
  const path = named ?? (around.env.KUBECONFIG || join(around.env.HOME || homedir(), '.kube/config'));
  const text = await readFile(path, 'utf8').catch((cause: Error) => {
    throw notConfigured(
      'k8s',
      `the kubeconfig ${path} can't be read: ${cause.message}`,
      'Set KUBECONFIG, or add ?kubeConfigPath=… to the reference.',
    );
  });
  const config = readYaml(text, path);
  const problem = (what: string): Error => notConfigured('k8s', `${path} has no ${what}`, 'Correct it.');
  if (!isMap(config)) throw problem('map');
  const name = wanted ?? config['current-context'];
  const context = entry(config.contexts, name, 'context');
  if (!context) throw problem(`context ${JSON.stringify(name)}`);
  const cluster = entry(config.clusters, context.cluster, 'cluster');
  if (!cluster || typeof cluster.server !== 'string') throw problem(`server of ${String(name)}`);
  const user = entry(config.users, context.user, 'user') ?? {};
  const folder = dirname(path);
  const [ca, cert, key] = await Promise.all([
    pem(cluster, 'certificate-authority', folder),
    pem(user, 'client-certificate', folder),
    pem(user, 'client-key', folder),
  ]);
  return {
    url: serviceUrl('k8s', cluster.server, `server of ${path}`),
    tls: {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(typeof cluster['tls-server-name'] === 'string' && { servername: cluster['tls-server-name'] }),
      insecure: cluster['insecure-skip-tls-verify'] === true,
    },
    headers: await userHeaders(user, folder, around),
  };
}

/** A named entry of a kubeconfig's list. */
function entry(list: unknown, name: unknown, field: string): Fields | undefined {
  const found: unknown = (Array.isArray(list) ? list : []).find((e) => isMap(e) && e.name === name);
  const inner = isMap(found) ? found[field] : undefined;
  return isMap(inner) ? inner : undefined;
}

/** A certificate or key: base64 in `<name>-data`, or a file beside the kubeconfig. */
async function pem(fields: Fields, name: string, folder: string): Promise<string | undefined> {
  const data = fields[`${name}-data`];
  if (typeof data === 'string') return Buffer.from(data, 'base64').toString('utf8');
  const file = fields[name];
  return typeof file === 'string' ? await readFile(resolve(folder, file), 'utf8') : undefined;
}

async function userHeaders(
  user: Fields,
  folder: string,
  around: Surroundings,
): Promise<Record<string, string>> {
  const { token, tokenFile, username, password, exec } = user;
  const found =
    typeof tokenFile === 'string'
      ? (await readFile(resolve(folder, tokenFile), 'utf8')).trim()
      : typeof token === 'string'
        ? token
        : isMap(exec)
          ? await pluginToken(exec, around)
          : undefined;
  if (found !== undefined) {
    around.hide(found);
    return bearer(found);
  }
  if (typeof username !== 'string' || typeof password !== 'string') return {};
  around.hide(password);
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` };
}

/** The token that a credential plugin writes (client.authentication.k8s.io/v1, ExecCredential). */
async function pluginToken(exec: Fields, around: Surroundings): Promise<string> {
  const args = Array.isArray(exec.args) ? exec.args.map(String) : [];
  const variables = (Array.isArray(exec.env) ? exec.env : [])
    .filter(isMap)
    .map(({ name, value }) => [String(name), String(value)]);
  const env = {
    KUBERNETES_EXEC_INFO: JSON.stringify({ apiVersion: exec.apiVersion, kind: 'ExecCredential', spec: {} }),
    ...(Object.fromEntries(variables) as Record<string, string>),
  };
  const { stdout } = await around.run(String(exec.command), args, { env, timeoutMs: 60_000 });
  const credential = readYaml(stdout, `the output of ${String(exec.command)}`);
  const status = isMap(credential) ? credential.status : undefined;
  const token = isMap(status) ? status.token : undefined;
  if (typeof token === 'string') return token;
  throw notConfigured('k8s', `${String(exec.command)} gave no token`, 'Run it by hand to see why.');
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}
