/** Flags that hold for every verb and may stand anywhere on the command line. */
export interface GlobalFlags {
  /** Packer's `-machine-readable`. */
  readonly machineReadable: boolean;
  /** Stack traces. */
  readonly debug: boolean;
  /** What `-color` says; undefined: as the terminal and NO_COLOR have it. */
  readonly color: boolean | undefined;
}

/** Flags whose next argument is their value, when it is not given with `=`. */
const valued = new Set([
  'var',
  'var-file',
  'only',
  'except',
  'on-error',
  'parallel-builds',
  'image-file',
  'output-dir',
  'output',
  'store',
  'firmware',
  'memory',
  'cpus',
  'timeout',
  'older-than',
  'max-size',
  'max-memory',
  'max-cpus',
  'reporter',
  'junit',
  'events',
  'config-type',
  'output-file',
  'file',
  'stream-yaml',
  'fail-on-missing-key-in-map',
]);

/** Flags that Go's flag package, and so Packer's users, write as `-force=false` too. */
const switches = new Set([
  'force',
  'debug',
  'machine-readable',
  'timestamp-ui',
  'check',
  'diff',
  'write',
  'recursive',
  'color',
  'json',
  'locked',
  'syntax-only',
  'warn-on-undeclared-var',
  'warn-undeclared-var',
  'evaluate-datasources',
  'with-annotations',
  'validate',
  'upgrade',
  'exclude-secret',
  'decode-kubernetes-secrets',
  'export',
]);

/** Switches of `secrets`, which vals has, too; elsewhere such a letter may take a value. */
const shortSwitches = new Set(['-i', '-s']);

/** Switches that are on where nothing is said. */
const onByDefault = new Set(['write', 'validate', 'warn-on-undeclared-var', 'warn-undeclared-var']);

/**
 * Packer's single-dash flags in the form that the parser knows: `-var x=y` becomes `--var x=y`,
 * `-color=false` becomes `--no-color`, `-o=json` and `--o=json` become `-o json`. Global flags are taken out. After `--` nothing is touched.
 */
export function readArguments(argv: readonly string[]): { args: string[]; globals: GlobalFlags } {
  const args: string[] = [];
  const globals = { machineReadable: false, debug: false, color: undefined as boolean | undefined };
  const isSwitch = (flag: string): boolean => argv[0] === 'secrets' && shortSwitches.has(flag);
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i] as string;
    if (arg === '--') {
      args.push(...argv.slice(i));
      break;
    }
    const [, short, given] = /^-?(-[a-z])(?:=(.*))?$/s.exec(arg) ?? [];
    if (short !== undefined) {
      if (given === undefined || (isSwitch(short) && /^(true|1|t)$/i.test(given))) args.push(short);
      else if (!isSwitch(short) || !/^(false|0|f)$/i.test(given)) args.push(short, given);
      continue;
    }
    const match = /^--?(no-)?([a-z][a-z0-9-]+)(?:=(.*))?$/s.exec(arg);
    if (!match) {
      args.push(arg);
      continue;
    }
    const [, negated, name, value] = match as unknown as [
      string,
      string | undefined,
      string,
      string | undefined,
    ];
    if (switches.has(name) && (value === undefined || /^(true|false|1|0|t|f)$/i.test(value))) {
      const on = /^(true|1|t)$/i.test(value ?? 'true') !== (negated !== undefined);
      if (name === 'machine-readable') globals.machineReadable = on;
      else if (name === 'debug') globals.debug = on;
      else if (name === 'color') globals.color = on;
      else if (on) args.push(`--${name}`);
      // Off is what most are anyway.
      else if (negated !== undefined || onByDefault.has(name)) args.push(`--no-${name}`);
      continue;
    }
    args.push(`--${negated ?? ''}${name}${value === undefined ? '' : `=${value}`}`);
    if (valued.has(name) && value === undefined && i + 1 < argv.length) args.push(argv[++i] as string);
  }
  return { args, globals };
}
