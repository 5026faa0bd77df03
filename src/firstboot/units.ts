import type { FirstBootConfig } from './config.ts';
import { ASK, WAITING_UNIT, WAITING_UNIT_TEXT } from './ask-script.ts';
import { RUN_DONE, RUN_UNIT, RUN_UNIT_TEXT } from './cloud-init-run.ts';
import { PATHS } from './paths.ts';

/** Where units of the image itself lie. Wanted from here they need no preset, and no `systemctl enable`. */
export const UNITS = '/usr/lib/systemd/system';

/**
 * Units that nobody waits for, while the first boot and the services behind it want the same processor: they get a tenth
 * of its share (systemd.resource-control(5)).
 */
export const LAST_IN_LINE = ['cloud-config.service', 'cloud-final.service'];
export const LAST_IN_LINE_DROP_IN = '[Service]\nCPUWeight=10\n';

export interface UnitText {
  /** Below {@link UNITS}. */
  readonly name: string;
  readonly text: string;
  /** Target that brings it. */
  readonly wantedBy: string;
}

/** What is run: the agent, what asks the waiting one, or the script that uses the image's own vals. */
export interface Commands {
  readonly firstBoot: string;
  /** Of the named services, as systemd.service(5) takes them: says when the instance is ready. */
  ready(units: string): string;
  /** Of a service, by its name as systemd.service(5) takes it. */
  render(unit: string): string;
  /** Whether an agent waits from the start of the machine. */
  readonly areAsked?: boolean;
}

export const AGENT_COMMANDS: Commands = {
  firstBoot: `${PATHS.command} first-boot`,
  ready: () => `${PATHS.command} ready`,
  render: (unit) => `${PATHS.command} render ${unit}`,
};

export const ASKING_COMMANDS: Commands = {
  firstBoot: `${ASK} first-boot`,
  ready: () => `${ASK} ready`,
  render: (unit) => `${ASK} render ${unit}`,
  areAsked: true,
};

/**
 * The units of a `first_boot` block. The first boot retries inside its one start: in systemd 252 a one-shot that has
 * failed takes those that need it down for good, even when a later start succeeds.
 */
export function unitTexts(
  config: FirstBootConfig,
  commands: Commands,
  has: { readonly agent: boolean; readonly cloudInit: boolean },
): UnitText[] {
  const services = config.service.map(({ unit }) => escape(unit)).join(' ');
  const { ready } = config;
  const after = ['ingot-first-boot.service', services, ...(ready?.units ?? []).map(escape)]
    .filter(Boolean)
    .join(' ');
  return [
    {
      name: 'ingot-first-boot.service',
      wantedBy: 'multi-user.target',
      text: `[Unit]
Description=Configuration of this instance on its first boot
Wants=network-online.target
After=network-online.target cloud-init.service cloud-init-network.service${commands.areAsked ? ` ${WAITING_UNIT}` : ''}
${services === '' ? '' : `Before=${services}\n`}ConditionPathExists=!${PATHS.done}

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=infinity
${commands.areAsked ? 'CPUWeight=1000\n' : ''}${has.cloudInit ? `ExecStartPre=-${RUN_DONE}\n` : ''}ExecStart=${commands.firstBoot}
`,
    },
    {
      name: 'ingot-ready.service',
      wantedBy: 'multi-user.target',
      text: `[Unit]
Description=Readiness of this instance
Requires=ingot-first-boot.service
Wants=network-online.target
After=network-online.target ${after}

[Service]
Type=oneshot
RemainAfterExit=yes
TimeoutStartSec=infinity
${commands.areAsked ? 'CPUWeight=1000\n' : ''}ExecStart=${commands.ready(services)}
`,
    },
    ...(commands.areAsked
      ? [{ name: WAITING_UNIT, wantedBy: 'multi-user.target', text: WAITING_UNIT_TEXT }]
      : []),
    ...(has.cloudInit ? [{ name: RUN_UNIT, wantedBy: 'cloud-init.target', text: RUN_UNIT_TEXT }] : []),
    ...(has.agent && ready?.http_port !== undefined ? [stateUnit()] : []),
  ];
}

/** Answers load balancers; it can do nothing else. */
function stateUnit(): UnitText {
  return {
    name: 'ingot-state.service',
    wantedBy: 'multi-user.target',
    text: `[Unit]
Description=Answers whether this instance is ready
After=network.target

[Service]
ExecStart=${PATHS.command} serve
Restart=always
RestartSec=2
DynamicUser=yes
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
ProtectHome=yes
RestrictAddressFamilies=AF_INET AF_INET6
`,
  };
}

/**
 * The drop-in of a service. What the unit itself runs before its start comes after our files: it may check the
 * configuration that we make.
 */
export function dropInText(
  unit: string,
  hasFiles: boolean,
  startPre: readonly string[],
  commands: Commands,
): string {
  const own = `ExecStartPre=+${commands.render(escape(unit))}`;
  return `[Unit]
Requires=ingot-first-boot.service
After=ingot-first-boot.service
${
  hasFiles
    ? `
[Service]
ExecStartPre=
${[own, ...startPre.map((line) => `ExecStartPre=${line}`)].join('\n')}
TimeoutStartSec=infinity
`
    : ''
}`;
}

/** ExecStartPre= lines of a unit and its drop-ins, in order; an empty one forgets those before (systemd.service(5)). */
export function startPreOf(texts: readonly string[]): string[] {
  let found: string[] = [];
  for (const text of texts) {
    let section = '';
    for (const line of text
      .replace(/\\\n/g, ' ')
      .split('\n')
      .map((l) => l.trim())) {
      if (/^\[.*\]$/.test(line)) section = line;
      const value = /^ExecStartPre\s*=\s*(.*)$/.exec(line)?.[1];
      if (section !== '[Service]' || value === undefined) continue;
      found = value === '' ? [] : [...found, value];
    }
  }
  return found;
}

/** A name in a unit file: % and \ mean something there. */
function escape(name: string): string {
  return name.replaceAll('%', '%%').replaceAll('\\', '\\\\');
}
