import type { Provider } from '../provider.ts';
import { jsonOf, notFound, refusal } from '../refusal.ts';
import { isMap } from '../document.ts';
import { below, serviceUrl } from '../service-url.ts';
import { isTrue, readTls } from '../tls-files.ts';

/**
 * `ref+consul://path/of/key?address=&token_env=&dc=&namespace=#/key/in/yaml`: a value of the key-value store; the
 * environment's CONSUL_HTTP_* as Consul's own tools read them (Consul HTTP API, KV store).
 */
export const consul: Provider = {
  async text(request, around) {
    const { env } = around;
    const given = request.param('address') ?? (env.CONSUL_HTTP_ADDR || '127.0.0.1:8500');
    const scheme = isTrue(env.CONSUL_HTTP_SSL) ? 'https' : 'http';
    const address = given.includes('://') ? given : `${scheme}://${given}`;
    const url = below(serviceUrl('consul', address, 'CONSUL_HTTP_ADDR'), 'v1/kv', request.path);
    const datacenter = request.param('dc');
    const namespace = request.param('namespace') ?? env.CONSUL_NAMESPACE;
    if (datacenter !== undefined) url.searchParams.set('dc', datacenter);
    if (namespace) url.searchParams.set('ns', namespace);
    const token = env[request.param('token_env') ?? 'CONSUL_HTTP_TOKEN'];
    if (token) around.hide(token);
    const login = env.CONSUL_HTTP_AUTH && Buffer.from(env.CONSUL_HTTP_AUTH).toString('base64');
    const answer = await around.fetch({
      url,
      headers: {
        ...(token && { 'x-consul-token': token }),
        ...(login && { authorization: `Basic ${login}` }),
      },
      tls: await readTls('consul', {
        caCert: env.CONSUL_CACERT,
        caPath: env.CONSUL_CAPATH,
        clientCert: env.CONSUL_CLIENT_CERT,
        clientKey: env.CONSUL_CLIENT_KEY,
        serverName: env.CONSUL_TLS_SERVER_NAME,
        insecure: env.CONSUL_HTTP_SSL_VERIFY === 'false',
      }),
    });
    if (answer.status !== 200) throw refusal(answer, 'Consul', `key ${request.path}`);
    const entries = jsonOf(answer);
    const entry: unknown = Array.isArray(entries) ? entries[0] : undefined;
    const value = isMap(entry) ? entry.Value : undefined;
    if (typeof value === 'string') return Buffer.from(value, 'base64').toString('utf8');
    throw notFound(`value at the key ${request.path} of Consul`);
  },
};
