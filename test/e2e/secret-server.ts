import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { moto, openBao } from '../secrets/real-tools.ts';
import { REGION, RunningMoto } from '../secrets/running-moto.ts';
import { RunningVault } from '../secrets/running-vault.ts';

type Values = Readonly<Record<string, string>>;

/** A server of this host, for a guest of QEMU with user networking. */
export interface SecretServer extends AsyncDisposable {
  /** What its references begin with. */
  readonly secrets: string;
  /** Where it is, and as whom to ask it: variables of the agent. */
  readonly environment: Values;
  /** What goes to {@link TOKEN_FILE} of the guest, beside its user-data: in there `ingot render` refuses it. */
  readonly token?: string;
  /** Writes the secret `app`; before that there is none. */
  put(values: Values): Promise<void>;
}

export const TOKEN_FILE = '/run/identity/token';

/** This host, as such a guest sees it. */
const seenByGuest = (url: string): string => url.replace('127.0.0.1', '10.0.2.2');

const baoTool = openBao();
export const motoTool = moto();
/** For names of tests. */
export const OPENBAO = baoTool.missing
  ? `a test server that is no OpenBao (OpenBao 2.4.0: ${baoTool.missing})`
  : 'OpenBao 2.4.0';

/** OpenBao itself; where it is not built, a server of ours that answers as version 1 of its key-value engine does. */
export async function startOpenBao(): Promise<SecretServer> {
  if (baoTool.missing) return await startStandIn();
  const bao = await RunningVault.startOpenBao(baoTool);
  await bao.api('sys/policies/acl/app', { policy: 'path "secret/*" { capabilities = ["read"] }' });
  const token = await bao.tokenFor(['app'], '24h');
  return {
    ...accessTo(bao.address, token),
    put: async (data) => void (await bao.api('secret/data/app', { data })),
    [Symbol.asyncDispose]: () => bao[Symbol.asyncDispose](),
  };
}

const accessTo = (address: string, token: string) => ({
  secrets: 'ref+openbao://secret',
  environment: { BAO_ADDR: seenByGuest(address), BAO_TOKEN_FILE: TOKEN_FILE },
  token,
});

async function startStandIn(): Promise<SecretServer> {
  let values: Values | undefined;
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/v1/sys/internal/ui/mounts/')) response.end('{"data": {"path": "secret/"}}');
    else if (values === undefined) response.writeHead(404).end('{"errors": []}');
    else response.end(JSON.stringify({ data: values }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...accessTo(`http://127.0.0.1:${port}`, 't0ken'),
    put: async (data) => void (values = data),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** AWS Secrets Manager as moto has it; the guest's credentials are those of its metadata service. */
export async function startAws(): Promise<SecretServer> {
  const aws = await RunningMoto.start(motoTool);
  const endpoint = seenByGuest(aws.endpoint);
  return {
    secrets: 'ref+awssecrets://prod',
    environment: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: endpoint,
      AWS_REGION: REGION,
    },
    put: (values) => aws.createSecret('prod/app', values),
    [Symbol.asyncDispose]: () => aws[Symbol.asyncDispose](),
  };
}
