import type * as http from 'node:http';
import { type Proxy, proxyFor } from '../store/http/proxy-rules.ts';
import type { Environment } from '../store/http/proxy-variables.ts';
import { clientOf, loginOf, openTunnel, refused, throughProxy } from '../store/http/tunnel.ts';
import type { HttpRequest, Tls } from './http.ts';
import { type Agents, agentFor, trustOf, type Way } from './http-way.ts';

/**
 * The way by a proxy: through a tunnel for each trust; what is asked in the clear is asked of the proxy itself, for the whole
 * address (RFC 9112, 3.2.2). Undefined where the server is to be asked directly.
 */
export async function wayByProxy(
  { url, tls = {} }: HttpRequest,
  agents: Agents,
  environment: Environment,
): Promise<Way | undefined> {
  const proxy = proxyFor(url, environment);
  if (!proxy) return undefined;
  const isSecure = url.protocol === 'https:';
  const client = await clientOf(isSecure ? url : proxy.url);
  const agent = agentFor(agents, JSON.stringify([proxy, isSecure && tls]), () => {
    const made = new client.Agent({ keepAlive: true });
    return isSecure ? throughTunnels(made, proxy, tls) : made;
  });
  const blame = {
    refused: () => refused(proxy, 407, url.host),
    failed: (error: Error) => (isSecure ? error : throughProxy(error, proxy)),
  };
  if (isSecure) return { client, agent, address: url, proxy: blame };
  const path = `${url.origin}${url.pathname}${url.search}`;
  const headers = { host: url.host, ...loginOf(proxy) };
  return { client, agent, address: proxy.url, path, headers, proxy: blame };
}

/** The agent, connecting by way of a proxy. */
function throughTunnels(agent: http.Agent, proxy: Proxy, tls: Tls): http.Agent {
  agent.createConnection = ({ host, port }, done) => {
    openTunnel(proxy, { host: host ?? '', port: Number(port), tls: trustOf(tls) }).then(
      (socket) => done?.(null, socket),
      (error: Error) => done?.(error, undefined as never),
    );
    return undefined;
  };
  return agent;
}
