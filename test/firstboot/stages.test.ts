import { expect, test } from 'vitest';
import { runFirstBoot } from '../../src/firstboot/agent/first-boot.ts';
import { becomeReady } from '../../src/firstboot/agent/ready.ts';
import { readBootStages, recordSpans } from '../../src/firstboot/agent/stages.ts';
import { readState } from '../../src/firstboot/agent/state.ts';
import { PATHS } from '../../src/firstboot/paths.ts';
import { TestMachine } from './agent-machine.ts';

/** As `systemctl show` of systemd 252 answers for cloud-init's two units and that of the first boot, where it has not run. */
const CLOUD_INIT = `InactiveExitTimestampMonotonic=2000000
ActiveEnterTimestampMonotonic=3000000

InactiveExitTimestampMonotonic=3100000
ActiveEnterTimestampMonotonic=4500000

InactiveExitTimestampMonotonic=0
ActiveEnterTimestampMonotonic=0
`;

/** A machine whose systemctl answers this. */
function machineWith(times: string): TestMachine {
  const machine = new TestMachine();
  const { run } = machine;
  return Object.assign(machine, {
    run: async (...args: Parameters<typeof run>) =>
      args[0][0] === 'systemctl' ? { exitCode: 0, output: times } : await run(...args),
  });
}

test('a first boot is told apart from what it runs, and from what comes before and after', async () => {
  // Its unit started a quarter of a second before the agent.
  using machine = machineWith(CLOUD_INIT.replace(/=0\n/, '=4750000\n'));
  machine.write('/dev/kmsg', '6,12,900000,-;Run /init as init process\n');
  await recordSpans(
    [
      { name: 'command join', from: 5.5, to: 6.5 },
      { name: 'first boot', from: 5, to: 7 },
    ],
    machine,
  );
  await recordSpans([{ name: 'files of app.service', from: 7.25, to: 7.5 }], machine);
  machine.seconds = 8.5;
  expect(await readBootStages(machine)).toEqual([
    { name: 'kernel', seconds: 0.9 },
    { name: 'system', seconds: 1.1 },
    { name: 'cloud-init', seconds: 2.75 },
    { name: 'first boot', seconds: 1.25 },
    { name: 'command join', seconds: 1 },
    { name: 'services', seconds: 0.75 },
    { name: 'files of app.service', seconds: 0.25 },
    { name: 'readiness', seconds: 0.5 },
  ]);
});

test('a later boot has no first boot; without cloud-init and kernel log all before is of the system', async () => {
  using later = machineWith(CLOUD_INIT);
  expect(await readBootStages(later)).toEqual([
    { name: 'system', seconds: 2 },
    { name: 'cloud-init', seconds: 2.5 },
    { name: 'services', seconds: 3.5 },
    { name: 'readiness', seconds: 2 },
  ]);
  using bare = machineWith('');
  await recordSpans([{ name: 'first boot', from: 3, to: 4 }], bare);
  expect(await readBootStages(bare)).toEqual([
    { name: 'system', seconds: 3 },
    { name: 'first boot', seconds: 1 },
    { name: 'services', seconds: 4 },
    { name: 'readiness', seconds: 2 },
  ]);
});

test('the stages are told on the console before the machine is ready, and kept', async () => {
  using machine = machineWith('');
  await runFirstBoot(machine);
  machine.seconds = 12;
  await becomeReady(machine);
  expect(machine.said).toEqual([
    'ingot: stages: system 8.0 s, first boot 2.0 s, readiness 2.0 s',
    'ingot: ready in 12 s',
  ]);
  expect((await readState(machine)).stages).toHaveLength(3);
  expect(machine.mode(PATHS.state)).toBe(0o644);
});
