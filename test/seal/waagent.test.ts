import { describe, expect, test } from 'vitest';
import type { ExecResult, Machine } from '../../src/core/machine.ts';
import { waagent } from '../../src/seal/waagent.ts';
import { sealContext } from './tree.ts';

/** A machine that answers commands by their first word. */
function machineWith(codes: Readonly<Record<string, number>>, ran: string[]): Machine {
  const exec = async (argv: readonly string[]): Promise<ExecResult> => {
    ran.push(argv.join(' '));
    return { exitCode: codes[argv[0] as string] ?? 0, stdout: '', stderr: 'reason\n' };
  };
  return { communicator: { exec } } as unknown as Machine;
}

describe('waagent on a running machine', () => {
  test('deprovisions', async () => {
    const ran: string[] = [];
    expect(await waagent.online?.(machineWith({}, ran), sealContext())).toHaveLength(1);
    expect(ran.at(-1)).toBe('waagent -force -deprovision');
  });

  test('does nothing where it is not installed', async () => {
    const ran: string[] = [];
    expect(await waagent.online?.(machineWith({ sh: 127 }, ran), sealContext())).toEqual([]);
    expect(ran).toHaveLength(1);
  });

  test('says why it failed', async () => {
    await expect(waagent.online?.(machineWith({ waagent: 2 }, []), sealContext())).rejects.toMatchObject({
      code: 'seal/waagent-failed',
      output: ['reason'],
    });
  });
});
