// A hundred references to ten secrets of a server that takes its time.
import { createServer } from 'node:http';
import { join } from 'node:path';
import { bundle } from './bundle.mjs';

const LATENCY_MS = 50;
const PATHS = 10;

export default {
  title: 'Secret references',
  rounds: 7,
  async setup(ctx) {
    ctx.state.server = createServer((request, response) => {
      const answer = request.url.includes('/mounts/')
        ? { data: { path: 'secret/', options: { version: '2' } } }
        : { data: { data: Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`k${i}`, `v${i}`])) } };
      setTimeout(() => response.end(JSON.stringify(answer)), LATENCY_MS);
    });
    await new Promise((resolve) => ctx.state.server.listen(0, '127.0.0.1', resolve));
    ctx.state.server.unref();
    const outfile = join(ctx.tmp, 'secrets.mjs');
    const contents = `
      export { expandText } from './src/secrets/expand.ts';
      export { createResolver } from './src/secrets/resolver.ts';`;
    await bundle(ctx, contents, outfile);
    ctx.state.secrets = await import(outfile);
  },
  cases: [
    { name: 'one request to the server', run: ({ state }) => ask(state.server) },
    {
      name: '100 references, 10 secrets, the mount found out',
      async run({ state: { server, secrets } }) {
        const env = { VAULT_ADDR: addressOf(server), VAULT_TOKEN: 'bench' };
        const references = Array.from(
          { length: 100 },
          (_, i) => `ref+vault://secret/p${i % PATHS}#/k${i % 7}`,
        );
        const began = performance.now();
        const resolver = secrets.createResolver({ env });
        await secrets.expandText(references.join(' '), { lookup: (found) => resolver.lookup(found) });
        return (performance.now() - began) / 1000;
      },
    },
  ],
  limits: [
    {
      of: '100 references, 10 secrets, the mount found out',
      seconds: (3 * LATENCY_MS) / 1000,
      why: `three round trips of ${LATENCY_MS} ms`,
    },
  ],
};

function addressOf(server) {
  return `http://127.0.0.1:${server.address().port}`;
}

async function ask(server) {
  const began = performance.now();
  await (await fetch(`${addressOf(server)}/v1/secret/data/p0`)).text();
  return (performance.now() - began) / 1000;
}
