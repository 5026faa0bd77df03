import { join } from 'node:path';
import { readCredential, readNamed } from '../credential-file.ts';
import type { Request, Surroundings } from '../provider.ts';
import { notConfigured } from '../refusal.ts';
import { serviceUrl } from '../service-url.ts';
import { bearer, type Cluster } from './access.ts';
import { configuredCluster } from './kubeconfig.ts';

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
  const [token, ca] = await Promise.all([
    readCredential('k8s', join(SERVICE_ACCOUNT, 'token')),
    readNamed('k8s', join(SERVICE_ACCOUNT, 'ca.crt')),
  ]);
  around.hide(token);
  const url = serviceUrl('k8s', `https://${host.includes(':') ? `[${host}]` : host}:${port}`, 'the pod');
  return { url, tls: { ca }, headers: bearer(token) };
}
