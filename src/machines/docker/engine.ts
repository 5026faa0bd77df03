import { createWriteStream } from 'node:fs';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { IngotError } from '../../core/error.ts';

const DEFAULT_SOCKET = '/var/run/docker.sock';
/** Longest answer that is read as one JSON text. */
const MAX_JSON = 32 * 1024 * 1024;

export interface EngineRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD';
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly json?: unknown;
  readonly body?: Readable;
  readonly headers?: Readonly<Record<string, string>>;
  /** Answers that are no failure, besides the 2xx. */
  readonly ok?: readonly number[];
  readonly signal?: AbortSignal;
}

/** A line of what pull, push, build and load tell while they work. */
export interface EngineProgress {
  readonly status?: string;
  readonly stream?: string;
  readonly error?: string;
  readonly id?: string;
  readonly aux?: Readonly<Record<string, unknown>>;
}

/** The Docker Engine API over a Unix socket (docs.docker.com, "Docker Engine API" 1.41); no docker program is run. */
export class DockerEngine {
  readonly socketPath: string;

  constructor(env: NodeJS.ProcessEnv = process.env) {
    const host = env.DOCKER_HOST ?? `unix://${DEFAULT_SOCKET}`;
    if (!host.startsWith('unix://')) {
      throw new IngotError('machine/docker-unreachable', `DOCKER_HOST is ${host}; expected unix://PATH`, {
        hint: 'Engines on other machines are not supported: run Ingot there, or forward the socket (ssh -L).',
      });
    }
    this.socketPath = host.slice('unix://'.length);
  }

  /** One request. Throws `machine/docker-unreachable`, `machine/docker-refused`, `machine/docker-not-found`. */
  async request(path: string, options: EngineRequest = {}): Promise<IncomingMessage> {
    const { method = 'GET', json, body, headers, ok = [], signal } = options;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpRequest(
        {
          socketPath: this.socketPath,
          path: `${path}${queryOf(options.query)}`,
          method,
          headers: {
            host: 'docker',
            ...(json !== undefined && { 'content-type': 'application/json' }),
            ...headers,
          },
          ...(signal && { signal }),
        },
        resolve,
      );
      request.on('error', reject);
      if (body) pipeline(body, request).catch(reject);
      else request.end(json === undefined ? undefined : JSON.stringify(json));
    }).catch((error: NodeJS.ErrnoException) => {
      signal?.throwIfAborted();
      throw this.#unreachable(error);
    });
    const status = response.statusCode ?? 0;
    if ((status >= 200 && status < 300) || ok.includes(status)) return response;
    throw refused(`${method} ${path}`, status, await textOf(response));
  }

  /** The answer as JSON; undefined where it has none. */
  async json<T>(path: string, options: EngineRequest = {}): Promise<T> {
    const text = await textOf(await this.request(path, options));
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }

  /** Follows what a long request tells, to its end. Throws `machine/docker-refused` where that is an error. */
  async follow(
    path: string,
    options: EngineRequest,
    onProgress: (line: EngineProgress) => void,
  ): Promise<void> {
    const response = await this.request(path, options);
    let rest = '';
    response.setEncoding('utf8');
    const take = (text: string): void => {
      if (text.trim() === '') return;
      const line = JSON.parse(text) as EngineProgress;
      if (line.error !== undefined) throw refused(path, 200, JSON.stringify({ message: line.error }));
      onProgress(line);
    };
    for await (const chunk of response) {
      const lines = (rest + (chunk as string)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(line);
    }
    take(rest);
  }

  /** Writes an image with its layers to a file, as `docker save` does. */
  async save(names: string | readonly string[], path: string, signal: AbortSignal): Promise<void> {
    const query = new URLSearchParams([names].flat().map((name): [string, string] => ['names', name]));
    const response = await this.request(`/images/get?${query.toString()}`, { signal });
    await pipeline(response, createWriteStream(path));
  }

  /** Takes over the connection for a stream in both directions ("hijacking"). */
  async upgrade(path: string, json: unknown, signal?: AbortSignal): Promise<Socket> {
    const body = json === undefined ? '' : JSON.stringify(json);
    return await new Promise<Socket>((resolve, reject) => {
      const request = httpRequest({
        socketPath: this.socketPath,
        path,
        method: 'POST',
        headers: {
          host: 'docker',
          connection: 'Upgrade',
          upgrade: 'tcp',
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
        ...(signal && { signal }),
      });
      request.on('error', (error) =>
        reject(signal?.aborted ? (signal.reason as Error) : this.#unreachable(error)),
      );
      request.on('upgrade', (_response, socket: Socket, head) => {
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      });
      request.on('response', (response) => {
        textOf(response).then(
          (text) => reject(refused(`POST ${path}`, response.statusCode ?? 0, text)),
          reject,
        );
      });
      request.end(body);
    });
  }

  #unreachable(error: unknown): IngotError {
    if (error instanceof IngotError) return error;
    return new IngotError(
      'machine/docker-unreachable',
      `the Docker engine at ${this.socketPath} does not answer: ${(error as Error).message}`,
      {
        hint: 'Start it (systemctl start docker), or name its socket in DOCKER_HOST=unix://PATH. Root or the group docker may speak to it.',
        cause: error,
      },
    );
  }
}

function queryOf(query: EngineRequest['query'] = {}): string {
  const set = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) set.set(name, String(value));
  return set.size === 0 ? '' : `?${set.toString()}`;
}

async function textOf(response: Readable): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of response) {
    size += (chunk as Buffer).length;
    if (size > MAX_JSON) throw new Error('the Docker engine gave too long an answer');
    parts.push(chunk as Buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

function refused(what: string, status: number, text: string): IngotError {
  let message = text.trim();
  try {
    message = (JSON.parse(text) as { message?: string }).message ?? message;
  } catch {
    // not JSON: shown as it is
  }
  const code = status === 404 ? 'machine/docker-not-found' : 'machine/docker-refused';
  return new IngotError(code, `the Docker engine refuses ${what} (${status}): ${message.slice(0, 1000)}`, {
    hint:
      status === 404
        ? 'Check the name; `docker images` shows what the engine has.'
        : "The engine's own log says more.",
  });
}
