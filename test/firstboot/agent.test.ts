import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { renderService, runFirstBoot } from '../../src/firstboot/agent/first-boot.ts';
import { openFiller } from '../../src/firstboot/agent/fill.ts';
import { readState } from '../../src/firstboot/agent/state.ts';
import { renderFiles } from '../../src/firstboot/agent/render.ts';
import { PATHS } from '../../src/firstboot/paths.ts';
import { answering, file, TestMachine } from './agent-machine.ts';

const render = async (machine: TestMachine): Promise<void> =>
  renderFiles(machine.config.file, await openFiller(machine), machine);

describe('a file from its template', () => {
  test('has the values of this instance and of references, its owner and its mode', async () => {
    using machine = new TestMachine({
      file: [file('/etc/app/app.conf', 'app.conf', { owner: 'app', mode: 0o640 })],
      variables: { role: 'replica', port: 5432 },
    });
    machine.write(
      '/t/app.conf',
      'role={{ .role }}\nport={{ .port }}\npw=ref+echo://{{ .base }}/hunter2#/x+!\n',
    );
    machine.write(PATHS.instance, '{"role": "primary", "base": "x"}', 0o600);
    await render(machine);
    expect(machine.read('/etc/app/app.conf')).toBe('role=primary\nport=5432\npw=hunter2!\n');
    expect(machine.mode('/etc/app/app.conf')).toBe(0o640);
    expect(machine.list('/etc/app')).toEqual(['app.conf']);
    expect(machine.hidden).toContain('hunter2');
  });

  test('replaces what a power cut has left, and nothing else', async () => {
    using machine = new TestMachine({ file: [file('/etc/app.conf', 'a')] });
    machine.write('/t/a', 'new');
    machine.write('/etc/app.conf', 'old', 0o644);
    machine.write('/etc/.app.conf.0123456789ab.part', 'half');
    machine.write('/etc/.app.conf.bak', 'kept');
    await render(machine);
    expect(machine.list('/etc')).toEqual(['.app.conf.bak', 'app.conf', 'group', 'passwd']);
    expect(machine.read('/etc/app.conf')).toBe('new');
    expect(machine.mode('/etc/app.conf')).toBe(0o600);
  });

  test('is not written when another one lacks its values', async () => {
    using machine = new TestMachine({ file: [file('/etc/a', 'a'), file('/etc/b', 'b')] });
    machine.write('/t/a', 'fine');
    machine.write('/t/b', 'ref+file:///nowhere/at/all');
    await expect(render(machine)).rejects.toThrow('there is no file /nowhere/at/all');
    expect(machine.list('/etc')).toEqual(['group', 'passwd']);
  });

  test.each([
    ['a variable that is not there', '{{ .nothing }}', 'line 1'],
    ['a command by reference', 'ref+exec://id', 'that is not allowed here'],
    ['an unknown backend', 'ref+nope://x/y', 'is no backend'],
  ])('%s is refused', async (_what, template, message) => {
    using machine = new TestMachine({ file: [file('/etc/a', 'a')] });
    machine.write('/t/a', template);
    await expect(render(machine)).rejects.toThrow(message);
  });

  test('runs commands by reference only where the image says so', async () => {
    using machine = new TestMachine({ file: [file('/etc/a', 'a')], allow_exec: true });
    machine.write('/t/a', 'ref+exec://echo/yes');
    await render(machine);
    expect(machine.read('/etc/a')).toBe('yes');
  });

  test('takes what was fetched as data: no reference, no template, no second setting in it', async () => {
    const hostile: Record<string, string> = {
      '/ref': 'ref+file:///etc/passwd',
      '/go': '{{ .role }}',
      '/lines': 'a\nadmin = yes',
      '/pem': '-----BEGIN\nMII\n-----END\n',
    };
    await using server = await answering((request, response) => response.end(hostile[request.url ?? '']));
    using machine = new TestMachine({ file: [file('/etc/a', 'a')], variables: { role: 'x' } });
    const at = (path: string): string => `ref+${server.url}${path}`;
    machine.write('/t/a', `a = ${at('/ref')}\nb = ${at('/go')}\n${at('/pem')}\n`);
    await render(machine);
    expect(machine.read('/etc/a')).toBe(
      'a = ref+file:///etc/passwd\nb = {{ .role }}\n-----BEGIN\nMII\n-----END\n\n',
    );
    machine.write('/t/a', `a = ${at('/lines')}\n`);
    await expect(render(machine)).rejects.toThrow('has several lines and stands within a line');
  });

  test('goes through no link that somebody else has made', async () => {
    using machine = new TestMachine({ file: [file('/srv/app/conf/a', 'a')] });
    machine.write('/t/a', 'x');
    mkdirSync(machine.place('/srv/app'), { recursive: true });
    mkdirSync(machine.place('/elsewhere'));
    symlinkSync(machine.place('/elsewhere'), machine.place('/srv/app/conf'));
    const uid = process.getuid?.() ?? 0;
    // The link belongs to who runs this test: one who is not root, as far as the agent can tell.
    const getuid = vi.spyOn(process, 'getuid').mockReturnValue(uid + 1);
    try {
      await expect(render(machine)).rejects.toThrow('is a link that somebody else than root has made');
    } finally {
      getuid.mockRestore();
    }
    await render(machine);
    expect(machine.read('/elsewhere/a')).toBe('x');
  });
});

describe('launch-time data', () => {
  test.each([
    ['is no JSON', '{"role": ', 'it is no JSON'],
    ['is no map', '[1]', 'it is no object'],
    ['lacks what the image needs', '{"role": "x"}', 'does not say zone'],
    ['has null for what the image needs', '{"role": "x", "zone": null}', 'does not say zone'],
  ])('that %s is refused', async (_what, text, message) => {
    using machine = new TestMachine({ required: ['role', 'zone'] });
    machine.write(PATHS.instance, text);
    await expect(openFiller(machine)).rejects.toThrow(message);
  });

  test('that others can write is refused', async () => {
    using machine = new TestMachine();
    machine.write(PATHS.instance, '{}');
    chmodSync(machine.place(PATHS.instance), 0o666);
    await expect(openFiller(machine)).rejects.toThrow('that only root can write');
  });

  test('has variables for references, above those of the image', async () => {
    using machine = new TestMachine({ environment: { A: 'image', B: 'image' } });
    machine.write(
      PATHS.environment,
      '# where\nB="launch"\n\nVAULT_TOKEN=s.token\nSOPS_AGE_KEY=AGE-KEY-1\n',
      0o600,
    );
    const { env } = await openFiller(machine);
    expect(env).toMatchObject({ A: 'image', B: 'launch', VAULT_TOKEN: 's.token' });
    expect(machine.hidden).toEqual(expect.arrayContaining(['s.token', 'AGE-KEY-1']));
    machine.write(PATHS.environment, 'no assignment\n');
    await expect(openFiller(machine)).rejects.toThrow('entry 1 is no NAME=value');
  });
});

const command = (name: string, argv: string[], environment: Record<string, string> = {}) => ({
  name,
  command: argv,
  script: undefined,
  environment,
  timeout: 5000,
});

describe('the first boot', () => {
  test('makes files, runs commands in order, and then says that it is done', async () => {
    using machine = new TestMachine({
      file: [file('/etc/a', 'a')],
      command: [
        command('one', ['sh', '-c', 'cat etc/a >> log; echo " $X" >> log'], { X: 'ref+echo://v/1#/v' }),
        command('two', ['sh', '-c', 'echo {{ .role }} >> log']),
      ],
      variables: { role: 'primary' },
    });
    machine.write('/t/a', 'content');
    await runFirstBoot(machine);
    expect(machine.read('/log')).toBe('content 1\nprimary\n');
    expect(machine.read(PATHS.done)).toBe('2026-01-02T03:04:05.000Z\n');
    // The mark comes after everything is on the disk.
    expect(machine.ran.at(-1)).toEqual(['sync']);
  });

  test('tries again what failed, from where it failed, and says on the console what is missing', async () => {
    using machine = new TestMachine({ command: [command('first', ['one']), command('second', ['two'])] });
    let failures = 3;
    machine.answer = ([name]) => (name === 'two' && failures-- > 0 ? 7 : 0);
    await runFirstBoot(machine);
    expect(machine.ran.map(([name]) => name)).toEqual(['one', 'two', 'two', 'two', 'two', 'sync']);
    // Said once, not three times.
    expect(machine.said).toEqual([
      expect.stringContaining('ingot: waiting: command "second" ended with exit code 7'),
    ]);
  });

  test('is never done without its secrets; it waits, then says not ready, then is done after all', async () => {
    let answer: [number, string] = [503, '{"errors":["Vault is sealed"]}'];
    await using server = await answering((request, response) => {
      const isMount = request.url?.includes('/mounts/') && answer[0] !== 503;
      const [status, body] = isMount ? [200, '{"data":{"path":"kv/"}}'] : answer;
      response.writeHead(status).end(body);
    });
    using machine = new TestMachine({
      file: [file('/etc/app.conf', 'a')],
      environment: { VAULT_ADDR: server.url, VAULT_TOKEN: 't', HOME: '/nowhere' },
      ready: {
        units: [],
        timeout: 60_000,
        http_port: undefined,
        http_address: '',
        tcp: [],
        http: [],
        command: [],
      },
    });
    machine.write('/t/a', 'pw = ref+vault://kv/db#/pw\nother = ref+vault://kv/db#/other\n');
    const done = runFirstBoot(machine);
    const heard = (what: string) =>
      vi.waitUntil(() => machine.said.some((line) => line.includes(what)), { timeout: 15_000 });

    answer = [403, '{"errors":["permission denied"]}'];
    await heard('permission denied');
    answer = [404, '{"errors":[]}'];
    await heard('there is no');
    // A wrong key, and the name of the one that is missing.
    answer = [200, '{"data":{"pw":"hunter2"}}'];
    await heard('there is no key "other"');
    machine.seconds = 61;
    await heard('ingot: not ready: ');
    expect((await readState(machine)).state).toBe('not ready');
    expect(machine.list('/etc')).toEqual(['group', 'passwd']);
    expect(() => machine.read(PATHS.done)).toThrow('ENOENT');

    answer = [200, '{"data":{"pw":"hunter2","other":"x"}}'];
    await done;
    expect(machine.read('/etc/app.conf')).toBe('pw = hunter2\nother = x\n');
    expect(machine.said.join('\n')).not.toContain('hunter2');
  }, 30_000);

  test('tells no secret that a command has printed before it failed', async () => {
    const sh = ['sh', '-c', 'echo "$0  again"; exit 3', 'ref+echo://hunter2'];
    using machine = new TestMachine({ command: [command('c', sh)] });
    machine.hide('hunter2  again');
    const done = runFirstBoot(machine);
    await vi.waitUntil(() => machine.said.length > 0);
    const told = [machine.said.join('\n'), JSON.stringify(await readState(machine))];
    machine.stop.abort();
    await expect(done).rejects.toThrow();
    for (const text of told) {
      expect(text).toContain('exit code 3: <sensitive>');
      expect(text).not.toContain('hunter2');
    }
  });

  test('tells of a disk that takes no writing', async () => {
    using machine = new TestMachine({ file: [file('/etc/sub/a', 'a')] });
    machine.write('/t/a', 'x');
    // A file where the folder should be fails for root, too.
    writeFileSync(machine.place('/etc/sub'), '');
    const done = runFirstBoot(machine);
    await vi.waitUntil(() => machine.said.length > 0);
    expect(machine.said[0]).toMatch(/^ingot: waiting: .*(EEXIST|ENOTDIR)/);
    machine.stop.abort();
    await expect(done).rejects.toThrow();
    expect(() => machine.read(PATHS.done)).toThrow('ENOENT');
  });

  test('says what the clock says, where that is the reason', async () => {
    using machine = new TestMachine({ command: [command('c', ['c'])] });
    machine.answer = () => {
      throw new Error('certificate is not yet valid');
    };
    const done = runFirstBoot(machine);
    await vi.waitUntil(() => machine.said.length > 0);
    expect(machine.said[0]).toContain('the clock of this machine says 2026-01-02T03:04:05.000Z');
    machine.stop.abort();
    await expect(done).rejects.toThrow();
  });
});

describe('a service', () => {
  test('that waits at a later start makes the instance wait, and ready again', async () => {
    let status = 500;
    await using server = await answering((_request, response) => response.writeHead(status).end('value'));
    using machine = new TestMachine({
      service: [{ unit: 'app.service', file: [file('/run/app/key', 'key')] }],
    });
    machine.seconds = 90_000;
    machine.write('/t/key', `ref+${server.url}/key`);
    machine.write(PATHS.state, '{"state": "ready", "missing": [], "seconds": 40}');
    const done = renderService('app.service', machine);
    await vi.waitUntil(() => machine.said.length > 0, { timeout: 15_000 });
    expect(machine.said[0]).toMatch(/^ingot: waiting: .*status 500/);
    expect((await readState(machine)).state).toBe('waiting');
    status = 200;
    await done;
    expect(machine.said.at(-1)).toBe('ingot: ready in 90000 s');
    expect((await readState(machine)).state).toBe('ready');
  });

  test('gets its files before each start, with the values of that moment', async () => {
    let n = 0;
    await using server = await answering((_request, response) => response.end(`value ${++n}`));
    using machine = new TestMachine({
      service: [{ unit: 'app.service', file: [file('/run/app/key', 'key')] }],
    });
    machine.write('/t/key', `ref+${server.url}/key`);
    await renderService('app.service', machine);
    expect(machine.read('/run/app/key')).toBe('value 1');
    await renderService('app.service', machine);
    expect(machine.read('/run/app/key')).toBe('value 2');
    expect(machine.said).toEqual([]);
    await expect(renderService('other.service', machine)).rejects.toThrow('has no service "other.service"');
  });
});
