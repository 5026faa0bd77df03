import { attr, bodySpec, type OptionsOf } from '../core/body-spec.ts';

/** `test "exec" { … }` of an image file. */
export const execTestSpec = bodySpec(
  {
    command: attr.string('The command, for this machine’s shell.', { required: true }),
    ports: attr.numbers('TCP ports of the image that a port of this machine leads to.', { default: [] }),
    env: attr.stringMap('More variables of the command.', { default: {} }),
    timeout: attr.duration('Longest time that the command may take.', { default: 600_000, unhashed: true }),
  },
  {},
  ({ ports }) =>
    ports.flatMap((port, i) =>
      isPort(port) ? [] : [{ path: ['ports', i], message: `${port} is no port; expected 1 to 65535` }],
    ),
);

export type ExecTestOptions = OptionsOf<typeof execTestSpec>;

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= 1 && port <= 65_535;
}
