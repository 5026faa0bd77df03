import type * as http from 'node:http';
import type { AgentOptions } from 'node:https';
import type { IngotError } from '../core/error.ts';
import type { HttpRequest, Tls } from './http.ts';

/** How a request gets to its server, or to the proxy before it. */
export interface Way {
  readonly client: Pick<typeof http, 'request'>;
  readonly address: URL;
  readonly agent: http.Agent;
  /** In place of the address's own. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What the proxy on the way has to do with it. */
  readonly proxy?: { refused(): IngotError; failed(error: Error): Error };
}

/** Connections that are kept, by what they are for. */
export type Agents = Map<string, http.Agent>;

/** The way to the server itself: with an agent of its own for each trust. */
export async function directWay({ url, tls = {} }: HttpRequest, agents: Agents): Promise<Way> {
  const client = await clientOf(url);
  const key = JSON.stringify([url.protocol, tls]);
  const agent = agentFor(agents, key, () => new client.Agent({ keepAlive: true, ...trustOf(tls) }));
  return { client, agent, address: url };
}

/** Loaded when it is needed: the boot agent starts before each service, and often asks nobody. */
export async function clientOf({
  protocol,
}: Pick<URL, 'protocol'>): Promise<Pick<typeof http, 'request' | 'Agent'>> {
  return protocol === 'https:' ? await import('node:https') : await import('node:http');
}

export function agentFor(agents: Agents, key: string, make: () => http.Agent): http.Agent {
  const agent = agents.get(key) ?? make();
  agents.set(key, agent);
  return agent;
}

/** An agent of HTTP alone looks at none of it. */
export function trustOf({ ca, cert, key, insecure, servername }: Tls): AgentOptions {
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(servername !== undefined && { servername }),
    rejectUnauthorized: insecure !== true,
  };
}
