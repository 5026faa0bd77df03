import type { BuildEvent } from '../core/event.ts';
import { imageOf } from './image-of.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';
import { cleanLine } from './terminal-text.ts';

type ArtifactEvent = Extract<BuildEvent, { type: 'artifact' }>;

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
  const artifacts = new Map<string, ArtifactEvent[]>();
  const put = (target: string, type: string, ...data: string[]): void => {
    stream.write(machineReadableLine(now() / 1000, target, type, data));
  };
  const say = (image: string, text: string): void => put('', 'ui', 'say', `==> ${image}: ${text}`);
  const message = (image: string, text: string): void => put('', 'ui', 'message', `    ${image}: ${text}`);

  return {
    handle(event) {
      switch (event.type) {
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
          put(imageOf(event.step), 'check', event.name, event.status, event.message ?? '');
          break;
        case 'artifact':
          artifacts.set(event.name, [...(artifacts.get(event.name) ?? []), event]);
          break;
        case 'release':
          put(event.name, 'release', event.version, event.digest, event.store);
          break;
        case 'build:end':
          for (const line of artifactLines(artifacts.get(event.image) ?? [])) put(event.image, ...line);
          say(event.image, `build ${event.status}`);
          break;
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

/** The lines that Packer writes about artifacts: how many, then each from `builder-id` to `end`. */
function artifactLines(artifacts: readonly ArtifactEvent[]): [string, ...string[]][] {
  const lines: [string, ...string[]][] = [['artifact-count', String(artifacts.length)]];
  artifacts.forEach(({ format, digest, path, size }, index) => {
    const about = (...data: string[]): void => void lines.push(['artifact', String(index), ...data]);
    about('builder-id', `ingot.${format}`);
    about('id', digest);
    about('string', `${format} of ${size} bytes: ${path}`);
    about('files-count', '1');
    about('file', '0', path);
    about('end');
  });
  return lines;
}
