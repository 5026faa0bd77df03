import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { expect, test, vi } from 'vitest';
import { attend } from '../../src/firstboot/agent/attend.ts';
import { rehearse } from '../../src/firstboot/agent/rehearse.ts';
import { ASK_TEXT } from '../../src/firstboot/ask-script.ts';
import type { FirstBootConfig } from '../../src/firstboot/config.ts';
import { PATHS } from '../../src/firstboot/paths.ts';
import { file, TestMachine } from './agent-machine.ts';

/** A machine with the script that asks; in place of an agent of its own that tells what it was called with. */
class AskedMachine extends TestMachine {
  readonly script = this.place('/ask');
  readonly opened: number[] = [];

  constructor(config: Partial<FirstBootConfig> = {}) {
    super(config);
    const own: string = this.place('/own-agent');
    const text = ASK_TEXT.replaceAll('/run/ingot', this.place('/run/ingot')).replaceAll(PATHS.command, own);
    this.write('/own-agent', '#!/bin/sh\necho "own $*"\nexit 3\n', 0o755);
    this.write('/run/ingot/.keep', '');
    writeFileSync(this.script, text);
    chmodSync(this.script, 0o755);
  }

  makePipe(): void {
    execFileSync('mkfifo', [this.place(PATHS.ask)]);
  }

  wait(): Promise<void> {
    return attend(this, (print, startedAt) => {
      this.opened.push(startedAt);
      return Object.assign(Object.create(this) as TestMachine, { note: print, startedAt });
    });
  }

  /** Ends when the script does: `output` and exit code. */
  async ask(...args: string[]): Promise<string> {
    const child = spawn('bash', [this.script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (data: Buffer) => void (output += data.toString()));
    const code = await new Promise((resolve) => child.once('close', resolve));
    return `${output}${String(code)}`;
  }
}

test('what is asked for is done by the agent that waits, anew each time, until the machine is ready', async () => {
  using machine = new AskedMachine({
    file: [file('/etc/app.conf', 'app')],
    service: [{ unit: 'app.service', file: [file('/run/app/key', 'app')] }],
    command: [
      { name: 'hello', command: ['echo', 'hello'], script: undefined, environment: {}, timeout: 5000 },
    ],
  });
  machine.write('/t/app', 'one\n');
  machine.makePipe();
  const waiting = machine.wait();
  expect(await machine.ask('first-boot')).toBe('ingot: the first boot is done\n0');
  expect(machine.read('/etc/app.conf')).toBe('one\n');
  // Seconds from the start of the machine, as the kernel counts them.
  expect(machine.opened[0]).toBeGreaterThan(0);
  expect(machine.ran).toContainEqual(['echo', 'hello']);

  expect(await machine.ask('render', 'app.service')).toBe('0');
  machine.write('/t/app', 'two\n');
  const both = [machine.ask('render', 'app.service'), machine.ask('render', 'other.service')];
  expect(await Promise.all(both)).toEqual([
    '0',
    expect.stringMatching(/^ingot-agent: .* has no service "other.service"\n1$/),
  ]);
  expect(machine.read('/run/app/key')).toBe('two\n');
  expect(await machine.ask('dance')).toMatch(/^ingot-agent: it can be asked for .*\n1$/);

  expect(await machine.ask('ready')).toMatch(/0$/);
  await waiting;
  expect(existsSync(machine.place(PATHS.ask))).toBe(false);
  expect(machine.list('/run/ingot').filter((name) => name.startsWith('answer'))).toEqual([]);
  // A later start of a service has an agent of its own.
  expect(await machine.ask('render', 'app.service')).toBe('own render app.service\n3');
});

test('what is asked for before the agent has opened its pipe is done', async () => {
  using machine = new AskedMachine();
  machine.makePipe();
  const asked = machine.ask('first-boot');
  await vi.waitUntil(() => machine.list('/run/ingot').some((name) => name.startsWith('answer')), {
    timeout: 30_000,
  });
  // Its request is written by then: a pipe that nobody holds open forgets what is in it.
  await new Promise((done) => setTimeout(done, 1000));
  const waiting = machine.wait();
  expect(await asked).toBe('ingot: the first boot is done\n0');
  machine.stop.abort();
  await waiting;
});

/** Asks, until the request is written. */
async function asking(
  machine: AskedMachine,
  ...args: string[]
): Promise<{ asked: Promise<string>; pipe: string }> {
  const request = openSync(machine.place(PATHS.ask), constants.O_RDWR | constants.O_NONBLOCK);
  const asked = machine.ask(...args);
  const bytes = Buffer.alloc(100);
  const client = await vi.waitUntil(
    () => {
      try {
        return bytes.toString('utf8', 0, readSync(request, bytes)).split(' ')[2];
      } catch {
        return undefined;
      }
    },
    { timeout: 30_000 },
  );
  closeSync(request);
  return { asked, pipe: machine.place(`${PATHS.answers}${client}`) };
}

test.each([
  ['', 'without a word', 'own render app.service\n3'],
  ['-one\n-tw', 'within a line', 'one\ntw\nown render app.service\n3'],
])('after %j an agent that has ended, %s, is replaced by one of its own', async (said, _how, output) => {
  using machine = new AskedMachine();
  machine.makePipe();
  const { asked, pipe } = await asking(machine, 'render', 'app.service');
  writeFileSync(pipe, said);
  expect(await machine.ask('ended')).toBe('0');
  expect(await asked).toBe(output);
  expect(machine.list('/run/ingot')).toEqual(['.keep']);
  expect(await machine.ask('ready')).toBe('own ready\n3');
});

test('an answer that takes long, and comes in pieces, is heard to its last byte', async () => {
  using machine = new AskedMachine();
  machine.makePipe();
  const { asked, pipe } = await asking(machine, 'first-boot');
  const answer = openSync(pipe, constants.O_WRONLY);
  for (const piece of ['-', 'joining with', ' ***\n', '=', '0', '\n']) {
    await new Promise((done) => setTimeout(done, 1100));
    writeSync(answer, piece);
  }
  closeSync(answer);
  expect(await asked).toBe('joining with ***\n0');
});

test('who asked and went is no trouble, and the end of the machine ends the waiting', async () => {
  using machine = new AskedMachine();
  machine.makePipe();
  const waiting = machine.wait();
  writeFileSync(machine.place(PATHS.ask), 'first-boot 1 4194305 \nnonsense\nready x ../../etc/passwd \n');
  await vi.waitUntil(() => machine.noted.some((line) => line.startsWith('ingot: who asked has ended')), {
    timeout: 30_000,
  });
  machine.stop.abort();
  await waiting;
  expect(machine.read(PATHS.ask.replace('ask', '.keep'))).toBe('');
});

test('a rehearsal does what a first boot does, and looks at nothing of the machine', async () => {
  using machine = new TestMachine();
  machine.write('/etc/ingot/instance.json', 'no JSON');
  machine.write('/etc/ingot/agent.env', 'VAULT_ADDR=http://192.0.2.1\n');
  machine.answer = () => 0;
  await rehearse(machine);
  expect(machine.ran.map(([command]) => command)).toEqual(['systemctl', 'sync']);
  expect([...machine.said, ...machine.noted, ...machine.hidden]).toEqual([]);
  expect(machine.list('/run/ingot')).toEqual([]);
});
