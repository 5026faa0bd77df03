import { renderDiagnostics } from '../core/render-diagnostic.ts';
import { imageOf } from './image-of.ts';
import { formatBytes, formatSeconds, shortDigest } from './quantities.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';
import { styles } from './style.ts';
import { cleanLine } from './terminal-text.ts';
import { waitText } from './wait-text.ts';

/**
 * One line an event, in Packer's manner: `==> web: what happens` and, below it, `    web: output`. For logs and
 * pipes: nothing is overwritten, and each line says which image spoke.
 */
export function plainReporter(options: ReporterOptions): Reporter {
  const { stream, color, now = Date.now, timestamps = false } = options;
  const paint = styles(color);
  const titles = new Map<string, string>();

  const line = (text: string): void => {
    const time = timestamps ? `${new Date(now()).toISOString()} ` : '';
    stream.write(`${time}${text}\n`);
  };
  const say = (image: string, text: string): void => line(paint.bold(`==> ${image}: ${text}`));
  const detail = (image: string, text: string): void => line(`    ${image}: ${text}`);

  return {
    handle(event) {
      switch (event.type) {
        case 'build:start':
          say(event.image, `version ${event.version}, ${event.steps.length} steps`);
          break;
        case 'build:wait':
          detail(event.image, waitText(event));
          break;
        case 'step:start':
          titles.set(event.step, event.title);
          say(imageOf(event.step), event.title);
          break;
        case 'step:log':
          detail(imageOf(event.step), cleanLine(event.line));
          break;
        case 'step:end': {
          const image = imageOf(event.step);
          const title = titles.get(event.step) ?? event.step.slice(image.length + 1);
          const ran = event.status !== 'cached' && event.status !== 'skipped';
          const took = ran ? ` after ${formatSeconds(event.seconds)}` : '';
          const text = `${title}: ${event.status}${took}${event.detail === undefined ? '' : ` (${event.detail})`}`;
          if (event.status === 'failed') line(paint.red(`==> ${image}: ${text}`));
          else detail(image, text);
          break;
        }
        case 'check:result': {
          if (event.cached) break;
          const took = event.seconds === undefined ? '' : ` in ${formatSeconds(event.seconds)}`;
          const why = event.message === undefined ? '' : `: ${cleanLine(event.message)}`;
          const text = `check ${event.name} ${event.status}${took}${why}`;
          detail(imageOf(event.step), event.status === 'failed' ? paint.red(text) : text);
          break;
        }
        case 'artifact':
          say(
            event.name,
            `${event.format} ${event.path} (${formatBytes(event.size)}, ${shortDigest(event.digest)})`,
          );
          break;
        case 'build:artifact':
          line(paint.bold(`--> ${event.image}: ${cleanLine(event.artifact.description)}`));
          break;
        case 'release':
          say(
            event.name,
            `released ${event.name}@${event.version} (${shortDigest(event.digest)}) in ${event.store}`,
          );
          break;
        case 'build:end':
          say(event.image, `${event.status} after ${formatSeconds(event.seconds)}`);
          break;
        case 'diagnostic':
          stream.write(
            renderDiagnostics([event.diagnostic], options.sources ?? new Map(), {
              color,
              width: options.width ?? 100,
              ...(options.shownAs && { shownAs: options.shownAs }),
            }),
          );
          break;
        case 'message':
          line(event.level === 'warning' ? paint.yellow(`warning: ${event.text}`) : event.text);
          break;
        case 'step:progress':
          break;
      }
    },
    async close() {},
  };
}
