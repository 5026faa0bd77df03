import { signAwsRequest } from '../../src/core/aws-signature.ts';
import { freePort } from '../../scripts/free-port.mjs';
import { type Server, startServer, type Tool } from './real-tools.ts';

export const REGION = 'eu-central-1';
export const KEYS = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret/key+example' };

/** moto's server, which speaks for AWS. */
export class RunningMoto implements AsyncDisposable {
  readonly endpoint: string;
  readonly #server: Server;

  static async start(tool: Tool): Promise<RunningMoto> {
    const port = await freePort();
    const endpoint = `http://127.0.0.1:${port}`;
    const isReady = async (): Promise<boolean> => (await fetch(`${endpoint}/moto-api/`)).ok;
    return new RunningMoto(
      endpoint,
      await startServer(tool.path, ['-H', '127.0.0.1', '-p', String(port)], isReady),
    );
  }

  private constructor(endpoint: string, server: Server) {
    this.endpoint = endpoint;
    this.#server = server;
  }

  /** A call of the JSON protocol, signed. */
  async json(service: string, target: string, input: object): Promise<Record<string, unknown>> {
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
    const request = { method: 'POST', url: new URL(this.endpoint), headers, body: JSON.stringify(input) };
    const signed = signAwsRequest(request, KEYS, { region: REGION, service, now: new Date() });
    const answer = await fetch(this.endpoint, {
      method: 'POST',
      headers: { ...headers, ...signed },
      body: request.body,
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return JSON.parse(text) as Record<string, unknown>;
  }

  /** A secret of Secrets Manager. */
  async createSecret(name: string, value: object): Promise<void> {
    const input = { Name: name, SecretString: JSON.stringify(value) };
    await this.json('secretsmanager', 'secretsmanager.CreateSecret', input);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}
