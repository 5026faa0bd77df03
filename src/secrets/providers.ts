import { IngotError } from '../core/error.ts';
import type { Provider } from './provider.ts';

/** Every backend, loaded when it is asked for. */
const PROVIDERS: Readonly<Record<string, () => Promise<Provider>>> = {
  awskms: async () => (await import('./providers/awskms.ts')).awskms,
  awssecrets: async () => (await import('./providers/awssecrets.ts')).awssecrets,
  awsssm: async () => (await import('./providers/awsssm.ts')).awsssm,
  azurekeyvault: async () => (await import('./providers/azurekeyvault.ts')).azurekeyvault,
  consul: async () => (await import('./providers/consul.ts')).consul,
  doppler: async () => (await import('./providers/doppler.ts')).doppler,
  echo: async () => (await import('./providers/echo.ts')).echo,
  envsubst: async () => (await import('./providers/envsubst.ts')).envsubst,
  exec: async () => (await import('./providers/exec.ts')).exec,
  file: async () => (await import('./providers/file.ts')).file,
  gcpsecrets: async () => (await import('./providers/gcpsecrets.ts')).gcpsecrets,
  gcs: async () => (await import('./providers/gcs.ts')).gcs,
  gitlab: async () => (await import('./providers/gitlab.ts')).gitlab,
  gkms: async () => (await import('./providers/gkms.ts')).gkms,
  http: async () => (await import('./providers/http.ts')).http,
  httpjson: async () => (await import('./providers/httpjson.ts')).httpjson,
  https: async () => (await import('./providers/http.ts')).http,
  k8s: async () => (await import('./providers/k8s.ts')).k8s,
  onepasswordconnect: async () => (await import('./providers/onepasswordconnect.ts')).onepasswordconnect,
  openbao: async () => (await import('./providers/vault.ts')).openbao,
  s3: async () => (await import('./providers/s3.ts')).s3,
  sops: async () => (await import('./providers/sops.ts')).sops,
  tfstate: async () => (await import('./providers/tfstate.ts')).tfstate,
  tfstateazurerm: async () => (await import('./providers/tfstate.ts')).tfstateazurerm,
  tfstategs: async () => (await import('./providers/tfstate.ts')).tfstategs,
  tfstates3: async () => (await import('./providers/tfstate.ts')).tfstates3,
  vault: async () => (await import('./providers/vault.ts')).vault,
};

/** Loads all of them, so that the first reference does not wait for it. */
export async function loadProviders(): Promise<void> {
  await Promise.all(Object.values(PROVIDERS).map((load) => load()));
}

/** Those that were never tried against a real server or an emulator, and so are not called supported. */
const UNTRIED = ['azurekeyvault', 'doppler', 'gitlab', 'onepasswordconnect'];

/** Backends of vals that we do not have. */
const NOT_YET = [
  'bw',
  'conjur',
  'googlesheets',
  'hcpvaultsecrets',
  'infisical',
  'keychain',
  'oci',
  'op',
  'pulumistateapi',
  'scw',
  'servercore',
  'tfstategitlab',
  'tfstateremote',
  'tss',
  'yclockbox',
];

/** Throws `secrets/unsupported`, with the list of what there is. */
export async function findProvider(backend: string): Promise<Provider> {
  const load = Object.hasOwn(PROVIDERS, backend) ? PROVIDERS[backend] : undefined;
  if (load) return await load();
  const known = NOT_YET.includes(backend);
  const tried = Object.keys(PROVIDERS).filter((name) => !UNTRIED.includes(name));
  throw new IngotError(
    'secrets/unsupported',
    known
      ? `references to ${backend} are not supported yet`
      : `${JSON.stringify(backend)} is no backend of secret references`,
    {
      hint: `Supported are ${tried.join(', ')}. Written, but not yet tried against a server: ${UNTRIED.join(', ')}. ref+exec:// runs any other tool.`,
    },
  );
}
