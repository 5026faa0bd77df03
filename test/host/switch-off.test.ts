import { expect, test } from 'vitest';
import { switchOff } from '../../src/host/qemu-wait.ts';

/** A machine that goes when its button was pressed so often. */
function machine(presses: number) {
  const asked: string[] = [];
  let go = (): void => {};
  const ended = new Promise<void>((resolve) => (go = resolve));
  const execute = async (command: string): Promise<undefined> => {
    asked.push(command);
    if (asked.length === presses) go();
    return undefined;
  };
  return { asked, ended, execute };
}

test.each([1, 3])('a machine that goes at press %i of its button', async (presses) => {
  const qemu = machine(presses);
  await switchOff(qemu as never, 'web.qcow2', 5_000, 10);
  expect(qemu.asked).toEqual(Array(presses).fill('system_powerdown'));
});

test('a machine that does not heed it is told of: what it wrote may be lost', async () => {
  await expect(switchOff(machine(0) as never, 'web.qcow2', 50, 10)).rejects.toMatchObject({
    code: 'boot/no-shutdown',
    hint: expect.stringContaining('may not be in web.qcow2'),
  });
});
