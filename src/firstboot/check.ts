import type { OptionProblem } from '../core/body-spec.ts';
import type { FileOptions, FirstBootOptions } from './config.ts';

/** Unit names (systemd.unit(5)) that a service block may have: those that can be started and depended on. */
const SERVICE = /^[A-Za-z0-9:_.\\-]+(@[A-Za-z0-9:_.\\-]+)?\.service$/;
/** Targets come when what they want has come, and the readiness check is wanted by one. */
const CHECKABLE = /^[A-Za-z0-9:_.\\@-]+\.(service|socket|mount|timer|path|automount|swap)$/;

/** Rules across the options of a `first_boot` block. */
export function checkFirstBoot(o: FirstBootOptions): OptionProblem[] {
  const { file, service, register, ready } = o;
  return [
    ...file.flatMap((one, i) => [...checkFile(one, ['file', i]), ...checkKept(one, ['file', i])]),
    ...service.flatMap(({ unit, file: own }, i): OptionProblem[] => [
      ...(SERVICE.test(unit)
        ? []
        : [
            problem(
              ['service', i],
              `${JSON.stringify(unit)} is no name of a service`,
              'Write "app.service".',
            ),
          ]),
      ...own.flatMap((one, n) => checkFile(one, ['service', i, 'file', n])),
    ]),
    ...(ready?.units ?? []).flatMap((unit, i) =>
      CHECKABLE.test(unit)
        ? []
        : [problem(['ready', 'units', i], `${JSON.stringify(unit)} can't be waited for`, 'Name a service.')],
    ),
    ...(register?.consul ?? []).flatMap(({ token }, i) =>
      checkSecret(token, ['register', 'consul', i, 'token']),
    ),
    ...(register?.dns ?? []).flatMap(({ key }, i) => checkSecret(key, ['register', 'dns', i, 'key'])),
    ...checkVariables(o),
    ...(o.agent ? [] : checkWithoutAgent(o)),
  ];
}

function checkFile({ path, mode }: FileOptions, at: OptionProblem['path']): OptionProblem[] {
  const isWhole = /^\/[^\0\n]*[^/\0\n]$/.test(path) && !path.split('/').some((p) => p === '..' || p === '.');
  return [
    ...(isWhole
      ? []
      : [problem(at, `${JSON.stringify(path)} is no absolute path of a file`, 'Write "/etc/app/app.conf".')]),
    ...((mode & 0o007) === 0
      ? []
      : [
          {
            ...problem(at, `${path} can be read by everybody`, 'Secrets belong to mode 0600 or 0640.'),
            severity: 'warning' as const,
          },
        ]),
  ];
}

/** What the first boot makes once must still be there after the next start. */
function checkKept({ path }: FileOptions, at: OptionProblem['path']): OptionProblem[] {
  return /^\/(run|tmp|dev|var\/run)\//.test(path)
    ? [problem(at, `${path} is gone after a restart`, 'Put the file into the service block that needs it.')]
    : [];
}

/** A key in an image file would be in the image. */
function checkSecret(text: string | undefined, at: OptionProblem['path']): OptionProblem[] {
  return text === undefined || text.includes('ref+') || text.includes('{{')
    ? []
    : [
        problem(
          at,
          'a secret stands in the image file',
          'Write a reference, such as ref+vault://secret/consul#/token.',
        ),
      ];
}

function checkVariables({ variables }: FirstBootOptions): OptionProblem[] {
  const isMap = typeof variables === 'object' && variables !== null && !Array.isArray(variables);
  if (!isMap)
    return [problem(['variables'], 'variables are no map', 'Write variables = { role = "replica" }.')];
  return Object.hasOwn(variables, 'host')
    ? [
        problem(
          ['variables'],
          'host is what the agent says of the machine',
          'Give the variable another name.',
        ),
      ]
    : [];
}

/** `vals` fills files; everything else is the agent's work. */
function checkWithoutAgent(o: FirstBootOptions): OptionProblem[] {
  const used = [
    o.ready && 'ready',
    o.register && 'register',
    o.required.length > 0 && 'required',
    Object.keys(o.variables as object).length > 0 && 'variables',
    o.command.some(({ environment }) => Object.keys(environment).length > 0) && 'environment of a command',
  ].filter((name) => typeof name === 'string');
  return used.map((name) =>
    problem([], `${name} needs agent = true`, 'With agent = false, vals only fills templates.'),
  );
}

function problem(path: OptionProblem['path'], message: string, hint: string): OptionProblem {
  return { path, message, hint };
}
