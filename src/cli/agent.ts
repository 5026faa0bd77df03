import { parseArgs } from 'node:util';
import { openAgent } from '../app/agent.ts';
import { IngotError } from '../core/error.ts';

const USAGE = `ingot-agent configures the machine that it runs on.

  first-boot               do what the image's first boot has to do, until it is done
  ready                    wait until the machine is ready, make it known, and say so
  render UNIT              make the files of a service from their templates
  render -t FILE -o FILE   make one file (--owner, --group, --mode 0600)
  attend                   wait to be asked for these, by /usr/lib/ingot/ask, until the machine is ready
  status                   print how things stand; ends with 0 when ready
  serve                    answer the state on the port that the image names
  get TEXT                 a text with values in place of its references
  env -f FILE [--export]   the variables of a file, for a shell
  exec -f FILE -- COMMAND  run a command with the variables of a file
`;

const OPTIONS = {
  file: { type: 'string', short: 'f' },
  template: { type: 'string', short: 't' },
  output: { type: 'string', short: 'o' },
  owner: { type: 'string' },
  group: { type: 'string' },
  mode: { type: 'string' },
  export: { type: 'boolean' },
} as const;

/** Runs one verb and answers the exit code: 0 done, 1 failed or not ready, 2 wrong command line. */
async function run(argv: readonly string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
  const [verb, ...rest] = positionals;
  const agent = await openAgent({
    env: process.env,
    signal,
    print: (line) => void process.stdout.write(`${line}\n`),
    stdin: async () => (await import('node:stream/consumers')).text(process.stdin),
  });
  const { file, template, output } = values;
  switch (verb) {
    case 'first-boot':
      await agent.firstBoot();
      return 0;
    case 'ready':
      await agent.ready();
      return 0;
    case 'render':
      if (template !== undefined && output !== undefined) {
        const { owner = 'root', group, mode = '0600' } = values;
        await agent.renderFile({ path: output, template, owner, group, mode: Number.parseInt(mode, 8) });
      } else if (rest[0] !== undefined) await agent.renderService(rest[0]);
      else return usage();
      return 0;
    case 'status': {
      const state = await agent.status();
      process.stdout.write(`${JSON.stringify(state)}\n`);
      return state.state === 'ready' ? 0 : 1;
    }
    case 'attend':
      await agent.attend();
      return 0;
    case 'serve':
      await agent.serve();
      return 0;
    case 'get':
      if (rest[0] === undefined) return usage();
      process.stdout.write(await agent.get(rest[0]));
      return 0;
    case 'env':
      if (file === undefined) return usage();
      process.stdout.write(await agent.environment(file, values.export === true));
      return 0;
    case 'exec':
      return file === undefined || rest.length === 0 ? usage() : await agent.exec(file, rest);
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    default:
      return usage();
  }
}

function usage(): number {
  process.stderr.write(USAGE);
  return 2;
}

function tell(error: unknown): number {
  const each = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  for (const one of each) {
    const message = one instanceof Error ? one.message : String(one);
    const hint = one instanceof IngotError && one.hint !== undefined ? `\n  hint: ${one.hint}` : '';
    process.stderr.write(`ingot-agent: ${message}${hint}\n`);
  }
  return 1;
}

const stop = new AbortController();
process.once('SIGTERM', () => stop.abort(new Error('asked to end')));
void run(process.argv.slice(2), stop.signal)
  .catch((error: unknown) =>
    (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') ? usage() : tell(error),
  )
  .then((code) => {
    process.exitCode = code;
  });
