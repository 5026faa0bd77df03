import type { BuildEvent } from '../core/event.ts';
import { besideOutputs } from './beside-outputs.ts';
import { imageOf } from './image-of.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';
import { cleanLine } from './terminal-text.ts';
import { waitText } from './wait-text.ts';

type OutputEvent = Extract<BuildEvent, { type: 'artifact' }>;
type Artifact = Extract<BuildEvent, { type: 'build:artifact' }>['artifact'];

/**
 * Packer's `-machine-readable`: `timestamp,target,type,data…`, where commas in data are written
 * `%!(PACKER_COMMA)` and line ends `\n`, `\r` (Packer's documentation, "Machine-Readable Output").
 */
export function machineReadableLine(
  seconds: number,
  target: string,
  type: string,
  data: readonly string[],
): string {
  const escaped = data.map((value) =>
    value.replaceAll(',', '%!(PACKER_COMMA)').replaceAll('\r', '\\r').replaceAll('\n', '\\n'),
  );
  return `${[Math.floor(seconds), target, type, ...escaped].join(',')}\n`;
}

/** Events in Packer's types: `ui` for what a person would read, `artifact…` and `error` for programs. */
export function machineReadableReporter({ stream, now = Date.now }: ReporterOptions): Reporter {
  const outputs = new Map<string, OutputEvent[]>();
  const artifacts = new Map<string, Artifact[]>();
  const put = (target: string, type: string, ...data: string[]): void => {
    stream.write(machineReadableLine(now() / 1000, target, type, data));
  };
  const say = (image: string, text: string): void => put('', 'ui', 'say', `==> ${image}: ${text}`);
  const message = (image: string, text: string): void => put('', 'ui', 'message', `    ${image}: ${text}`);

  return {
    handle(event) {
      switch (event.type) {
        case 'build:wait':
          message(event.image, waitText(event));
          break;
        case 'step:start':
          say(imageOf(event.step), event.title);
          break;
        case 'step:log':
          message(imageOf(event.step), cleanLine(event.line));
          break;
        case 'step:end':
          put(imageOf(event.step), 'step', event.step, event.status, event.seconds.toFixed(3));
          break;
        case 'check:result':
          if (event.cached) break;
          put(imageOf(event.step), 'check', event.name, event.status, event.message ?? '');
          break;
        case 'artifact':
          outputs.set(event.name, [...(outputs.get(event.name) ?? []), event]);
          break;
        case 'build:artifact':
          artifacts.set(event.image, [...(artifacts.get(event.image) ?? []), event.artifact]);
          break;
        case 'release':
          put(event.name, 'release', event.version, event.digest, event.store);
          break;
        case 'build:end': {
          const written = outputs.get(event.image) ?? [];
          const made = [
            ...written.map(asArtifact),
            ...besideOutputs(artifacts.get(event.image) ?? [], written),
          ];
          for (const line of artifactLines(made)) put(event.image, ...line);
          for (const { description } of made) put('', 'ui', 'say', `--> ${event.image}: ${description}`);
          say(event.image, `build ${event.status}`);
          break;
        }
        case 'diagnostic': {
          const { severity, message: text, range, code } = event.diagnostic;
          const where = range ? `${range.file}:${range.start.line}: ` : '';
          put('', severity, `${where}${text}`, code);
          break;
        }
        case 'message':
          put('', 'ui', event.level === 'warning' ? 'error' : 'say', event.text);
          break;
        case 'build:start':
        case 'step:progress':
          break;
      }
    },
    async close() {},
  };
}

function asArtifact({ format, digest, path, size }: OutputEvent): Artifact {
  return {
    builderId: `ingot.${format}`,
    id: digest,
    files: [path],
    description: `${format} of ${size} bytes: ${path}`,
  };
}

/** The lines that Packer writes about artifacts: how many, then each from `builder-id` to `end`. */
function artifactLines(artifacts: readonly Artifact[]): [string, ...string[]][] {
  const lines: [string, ...string[]][] = [['artifact-count', String(artifacts.length)]];
  artifacts.forEach(({ builderId, id, files, description }, index) => {
    const about = (...data: string[]): void => void lines.push(['artifact', String(index), ...data]);
    about('builder-id', builderId);
    about('id', id);
    about('string', description);
    about('files-count', String(files.length));
    files.forEach((file, number) => about('file', String(number), file));
    about('end');
  });
  return lines;
}
