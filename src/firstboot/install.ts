import { readFileSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { IngotError } from '../core/error.ts';
import type { Rootfs } from '../core/rootfs.ts';
import { quoteWord } from '../core/shell-words.ts';
import { isMap } from '../secrets/document.ts';
import { readYamlStream } from '../secrets/read-yaml.ts';
import type { FileOptions, FirstBootConfig, FirstBootOptions } from './config.ts';
import { ASK, ASK_TEXT } from './ask-script.ts';
import { hasCloudInit, RUN_DONE, RUN_DONE_TEXT } from './cloud-init-run.ts';
import { PATHS } from './paths.ts';
import { searchMap } from './render/search-part.ts';
import {
  AGENT_COMMANDS,
  ASKING_COMMANDS,
  type Commands,
  dropInText,
  startPreOf,
  UNITS,
  unitTexts,
  LAST_IN_LINE,
  LAST_IN_LINE_DROP_IN,
} from './units.ts';
import { VALS_LISTS, VALS_READY, VALS_READY_SCRIPT, VALS_RENDER, VALS_SCRIPT } from './vals-script.ts';

/** Oldest Node that the agent runs on: Debian 12's. */
const OLDEST_NODE = 18;
/** Where units are looked for, the first wins (systemd.unit(5)). */
/**
 * Comes after the others, by its name (systemd.unit(5)): it puts ours in front of what they start, which it repeats. What
 * comes after it is still added by systemd itself.
 */
const DROP_IN = 'zz-ingot.conf';
const UNIT_FOLDERS = ['/etc/systemd/system', '/usr/local/lib/systemd/system', UNITS, '/lib/systemd/system'];

export interface Installation {
  readonly options: FirstBootOptions;
  readonly templateDir: string;
  /** The agent's text. */
  readonly agent: Uint8Array;
}

/** Bakes a `first_boot` block into an unbooted image. Throws `firstboot/no-node`, `no-unit`, `bad-cloud-init` and others. */
export function installFirstBoot(
  root: Rootfs,
  { options, templateDir, agent }: Installation,
): { readonly summary: string } {
  const read = (path: string): Buffer => readFileSync(isAbsolute(path) ? path : join(templateDir, path));
  const { agent: hasAgent, cloud_init: cloudInit, ...rest } = options;
  const hasBash = root.exists('/bin/bash');
  const commands = !hasAgent ? VALS_COMMANDS : hasBash ? ASKING_COMMANDS : AGENT_COMMANDS;
  requireReader(root, hasAgent);
  for (const path of cloudInit) installCloudInit(root, path, read(path));

  const place = placer(root, read);
  const config: FirstBootConfig = {
    ...rest,
    file: rest.file.map(place.file),
    service: rest.service.map(({ unit, file }) => ({ unit, file: file.map(place.file) })),
    command: rest.command.map(place.command),
  };
  if (hasAgent) {
    root.mkdir('/usr/lib/ingot');
    root.write(PATHS.agent, agent, { mode: 0o755 });
    root.remove(PATHS.command);
    root.symlink(PATHS.command, `../lib/ingot/${basename(PATHS.agent)}`);
    if (commands.areAsked) root.write(ASK, ASK_TEXT, { mode: 0o755 });
    root.write(PATHS.config, `${JSON.stringify(config, undefined, 2)}\n`);
  } else installVals(root, config);

  const has = { agent: hasAgent, cloudInit: hasCloudInit(root) };
  if (has.cloudInit) root.write(RUN_DONE, RUN_DONE_TEXT, { mode: 0o755 });
  for (const { name, text, wantedBy } of unitTexts(config, commands, has)) {
    root.write(`${UNITS}/${name}`, text);
    const wants = `${UNITS}/${wantedBy}.wants`;
    root.mkdir(wants);
    root.remove(`${wants}/${name}`);
    root.symlink(`${wants}/${name}`, `../${name}`);
  }
  for (const { unit, file } of config.service) {
    const startPre = startPreOf(unitFiles(root, unit));
    root.mkdir(`${UNITS}/${unit}.d`);
    root.write(`${UNITS}/${unit}.d/${DROP_IN}`, dropInText(unit, file.length > 0, startPre, commands));
  }
  for (const unit of LAST_IN_LINE.filter((name) =>
    UNIT_FOLDERS.some((dir) => root.exists(`${dir}/${name}`)),
  )) {
    root.mkdir(`${UNITS}/${unit}.d`);
    root.write(`${UNITS}/${unit}.d/${DROP_IN}`, LAST_IN_LINE_DROP_IN);
  }
  const files = config.file.length + config.service.reduce((n, { file }) => n + file.length, 0);
  return {
    summary: `${files} templates, ${config.command.length} commands, ${config.service.length} services`,
  };
}

/** Copies templates and scripts into the image, and answers the options with their places there. */
function placer(root: Rootfs, read: (path: string) => Buffer) {
  let n = 0;
  const copy = (path: string, folder: string, mode: number): string => {
    const target = `${folder}/${String(n++).padStart(3, '0')}-${basename(path)}`;
    root.mkdir(folder);
    root.write(target, read(path), { mode });
    return target;
  };
  return {
    file: (file: FileOptions): FileOptions => ({
      ...file,
      template: copy(file.template, PATHS.templates, 0o644),
    }),
    command: <T extends { readonly script: string | undefined }>(command: T): T =>
      command.script === undefined
        ? command
        : { ...command, script: copy(command.script, PATHS.scripts, 0o755) },
  };
}

/** What reads references must be in the image. */
function requireReader(root: Rootfs, hasAgent: boolean): void {
  if (!hasAgent) {
    if (['/usr/bin/vals', '/usr/local/bin/vals'].some((path) => root.exists(path))) return;
    throw new IngotError(
      'firstboot/no-vals',
      'agent = false needs vals, and the image has neither /usr/bin/vals nor /usr/local/bin/vals',
      {
        hint: 'Put it there by a file provisioner, or leave agent at true.',
      },
    );
  }
  const version = /^Package: nodejs\n(?:.+\n)*?Version: (\d+)/m.exec(
    root.exists('/var/lib/dpkg/status') ? root.readText('/var/lib/dpkg/status') : '',
  )?.[1];
  const isOld = version !== undefined && Number(version) < OLDEST_NODE;
  if (root.exists('/usr/bin/node') && !isOld) return;
  const what = isOld ? `its nodejs is version ${version}` : 'it has no /usr/bin/node';
  throw new IngotError(
    'firstboot/no-node',
    `the agent needs Node ${OLDEST_NODE} or newer in the image, and ${what}`,
    {
      hint: 'Add nodejs and ca-certificates to the packages of the image.',
    },
  );
}

/** A drop-in of cloud-init: a map in YAML, under a name that cloud-init reads. */
function installCloudInit(root: Rootfs, path: string, content: Buffer): void {
  const name = basename(path);
  const folder = '/etc/cloud/cloud.cfg.d';
  const problem = !root.exists(folder)
    ? 'the image has no cloud-init'
    : !/^[A-Za-z0-9._-]+\.cfg$/.test(name)
      ? 'cloud-init reads names that end in .cfg'
      : problemOf(content.toString('utf8'), path);
  if (problem !== undefined) {
    throw new IngotError('firstboot/bad-cloud-init', `${path} can't be a drop-in of cloud-init: ${problem}`, {
      hint: 'Install cloud-init, and give files of cloud-config without references and values of secrets.',
    });
  }
  root.write(`${folder}/${name}`, content, { mode: 0o644 });
}

function problemOf(text: string, path: string): string | undefined {
  const documents = readYamlStream(text, path);
  if (documents.length !== 1 || !isMap(documents[0])) return 'it is no map in YAML';
  // Whoever has the image reads it; tokens by their form are found by test "secrets".
  return searchMap(path, text, () => [])[0]?.message;
}

/** The text of a unit and of its drop-ins. Throws `firstboot/no-unit`. */
function unitFiles(root: Rootfs, unit: string): string[] {
  const template = unit.replace(/@.+\.service$/, '@.service');
  // In one folder, a drop-in of the instance goes before that of the template with its name (systemd.unit(5)).
  const names = [...new Set([unit, template])];
  const isUnit = (path: string): boolean => root.lstat(path) !== undefined && root.exists(path);
  const found = names.flatMap((name) => UNIT_FOLDERS.map((folder) => `${folder}/${name}`)).find(isUnit);
  if (found === undefined) {
    throw new IngotError('firstboot/no-unit', `the image has no unit ${unit}`, {
      hint: 'Install the package that brings it; the name is that of `systemctl list-unit-files`.',
    });
  }
  const dropIns = new Map<string, string>();
  for (const folder of UNIT_FOLDERS) {
    for (const name of names.flatMap((own) =>
      root.list(`${folder}/${own}.d`).map((file) => `${own}.d/${file}`),
    )) {
      const key = basename(name);
      if (key.endsWith('.conf') && key < DROP_IN && !dropIns.has(key)) dropIns.set(key, `${folder}/${name}`);
    }
  }
  const sorted = [...dropIns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path);
  return [found, ...sorted].map((path) => root.readText(path));
}

const VALS_COMMANDS: Commands = {
  firstBoot: `${VALS_SCRIPT} ${VALS_LISTS}/first-boot ${VALS_LISTS}/first-boot.commands`,
  ready: (units) => `${VALS_READY_SCRIPT} ${units}`.trimEnd(),
  render: (unit) => `${VALS_SCRIPT} ${VALS_LISTS}/${unit}`,
};

function installVals(root: Rootfs, config: FirstBootConfig): void {
  root.mkdir(VALS_LISTS);
  root.write(VALS_SCRIPT, VALS_RENDER, { mode: 0o755 });
  root.write(VALS_READY_SCRIPT, VALS_READY, { mode: 0o755 });
  root.write(`${VALS_LISTS}/first-boot`, listOf(config.file, root));
  const lines = config.command.map(({ script, command = [] }) =>
    (script === undefined ? command : [script]).map(quoteWord).join(' '),
  );
  root.write(`${VALS_LISTS}/first-boot.commands`, lines.map((line) => `${line}\n`).join(''));
  for (const { unit, file } of config.service) root.write(`${VALS_LISTS}/${unit}`, listOf(file, root));
}

function listOf(files: readonly FileOptions[], root: Rootfs): string {
  return files
    .map(({ template, path, owner, group = owner, mode }) => {
      if (root.readText(template).includes('{{')) {
        throw new IngotError(
          'firstboot/bad-template',
          `the template of ${path} has {{ }}, which vals does not fill`,
          {
            hint: 'Leave agent at true, or take it out.',
          },
        );
      }
      return `${[template, path, owner, group, mode.toString(8).padStart(4, '0')].join('\t')}\n`;
    })
    .join('');
}
