// The boot agent on Debian 12's own Node, in a root filesystem of that system: how long an instance waits for its start.
import { copyFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const inRoot = ({ run, state }, ...args) => run('chroot', [state.root, 'node', ...args]);

export default {
  title: 'Boot agent on Node 18 of Debian 12',
  rounds: 11,
  async setup(ctx) {
    const { run, tmp, root, state } = ctx;
    state.root = join(tmp, 'root');
    await run('mmdebstrap', ['--quiet', '--variant=essential', '--include=nodejs', 'bookworm', state.root]);
    await run(process.execPath, [join(root, 'scripts/build-agent.mjs'), join(tmp, 'agent.cjs')]);
    copyFileSync(join(tmp, 'agent.cjs'), join(state.root, 'usr/lib/agent.cjs'));
    state.server = createServer((request, response) =>
      response.end(
        JSON.stringify({ data: request.url.includes('/mounts/') ? { path: 'secret/' } : { key: 'value' } }),
      ),
    );
    await new Promise((resolve) => state.server.listen(0, '127.0.0.1', resolve));
    state.address = `http://127.0.0.1:${state.server.address().port}`;
    await inRoot(ctx, '-e', '0');
  },
  async teardown({ state }) {
    state.server?.closeAllConnections();
    state.server?.close();
  },
  cases: [
    { name: 'node -e 0', run: async (ctx) => void (await inRoot(ctx, '-e', '0')) },
    {
      name: 'a reference that needs no server',
      run: async (ctx) => void (await inRoot(ctx, '/usr/lib/agent.cjs', 'get', 'ref+echo://a/b')),
    },
    {
      name: 'a reference to a server of the Vault kind on loopback',
      run: async (ctx) =>
        void (await inRoot(
          ctx,
          '/usr/lib/agent.cjs',
          'get',
          `ref+vault://secret/app?address=${ctx.state.address}&token_env=PATH#/key`,
        )),
    },
  ],
  limits: [
    { of: 'a reference that needs no server', seconds: 0.5, why: 'every start of a service waits for it' },
  ],
};
