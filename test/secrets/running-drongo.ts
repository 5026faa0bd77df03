import { createRequire } from 'node:module';
import { join } from 'node:path';
import { freePort } from '../../scripts/free-port.mjs';
import { type Server, startServer, type Tool } from './real-tools.ts';

/** What each of Google's clients answers. */
type Answer<T> = Promise<[T]>;

interface Named {
  readonly name: string;
}

interface SecretManager {
  createSecret(request: object): Answer<Named>;
  addSecretVersion(request: object): Answer<Named>;
  disableSecretVersion(request: object): Answer<Named>;
  destroySecretVersion(request: object): Answer<Named>;
}

interface Kms {
  createKeyRing(request: object): Answer<Named>;
  createCryptoKey(request: object): Answer<Named>;
  encrypt(request: object): Answer<{ readonly ciphertext: Uint8Array }>;
}

export const PROJECT = 'team-1';

/** drongo's server, which speaks for Google Cloud, and Google's own clients, which write what is read. */
export class RunningDrongo implements AsyncDisposable {
  readonly endpoint: string;
  readonly secrets: SecretManager;
  readonly kms: Kms;
  readonly #server: Server;

  static async start(tool: Tool, clients: Tool): Promise<RunningDrongo> {
    const port = await freePort();
    const isReady = async (): Promise<boolean> =>
      (await fetch(`http://127.0.0.1:${port}/drongo/health`)).status === 200;
    const args = ['server', '--host', '127.0.0.1', '--port', String(port)];
    return new RunningDrongo(port, clients, await startServer(tool.path, args, isReady));
  }

  private constructor(port: number, clients: Tool, server: Server) {
    this.endpoint = `http://127.0.0.1:${port}`;
    this.#server = server;
    const load = createRequire(join(clients.path, 'x.js'));
    const { OAuth2Client } = load('google-auth-library') as {
      OAuth2Client: new () => { setCredentials(credentials: object): void };
    };
    const authClient = new OAuth2Client();
    authClient.setCredentials({ access_token: 'of the test' });
    // The REST protocol, which the clients call their fallback.
    const options = {
      fallback: true,
      protocol: 'http',
      apiEndpoint: '127.0.0.1',
      port,
      authClient,
      projectId: PROJECT,
    };
    const { SecretManagerServiceClient } = load('@google-cloud/secret-manager') as {
      SecretManagerServiceClient: new (options: object) => SecretManager;
    };
    const { KeyManagementServiceClient } = load('@google-cloud/kms') as {
      KeyManagementServiceClient: new (options: object) => Kms;
    };
    this.secrets = new SecretManagerServiceClient(options);
    this.kms = new KeyManagementServiceClient(options);
  }

  /** A secret with these versions, the first of which is number 1; answers their names. */
  async createSecret(secretId: string, versions: readonly (string | Buffer)[]): Promise<string[]> {
    const secret = { replication: { automatic: {} } };
    const [{ name }] = await this.secrets.createSecret({ parent: `projects/${PROJECT}`, secretId, secret });
    const names: string[] = [];
    for (const data of versions) {
      const [version] = await this.secrets.addSecretVersion({
        parent: name,
        payload: { data: Buffer.from(data) },
      });
      names.push(version.name);
    }
    return names;
  }

  /** A key ring with these keys. */
  async createKeys(keyRingId: string, keys: readonly string[]): Promise<void> {
    const parent = `projects/${PROJECT}/locations/global`;
    const [ring] = await this.kms.createKeyRing({ parent, keyRingId });
    for (const cryptoKeyId of keys)
      await this.kms.createCryptoKey({
        parent: ring.name,
        cryptoKeyId,
        cryptoKey: { purpose: 'ENCRYPT_DECRYPT' },
      });
  }

  /** A text, encrypted with a key of `createKeys`. */
  async encrypt(keyRing: string, key: string, text: string): Promise<Buffer> {
    const name = `projects/${PROJECT}/locations/global/keyRings/${keyRing}/cryptoKeys/${key}`;
    const [{ ciphertext }] = await this.kms.encrypt({ name, plaintext: Buffer.from(text) });
    return Buffer.from(ciphertext);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}
