import { IngotError } from '../../core/error.ts';
import { badParam } from '../encode.ts';
import { failedCommand } from '../failed-command.ts';
import type { Provider } from '../provider.ts';

/**
 * `ref+exec://command/arg/arg?args=more,and+more&timeout=30&trim=true&env_NAME=value`: what a command writes on standard
 * output. No shell; after an absolute path all arguments are in `args`.
 */
export const exec: Provider = {
  async text(request, around) {
    const path = request.path.replace(/\/$/, '');
    const [command = '', ...pathArgs] = path.startsWith('/') ? [path] : path.split('/');
    if (command === '') {
      throw new IngotError('secrets/bad-reference', 'ref+exec:// names no command', {
        hint: 'Write ref+exec://command/argument.',
      });
    }
    const args = [...pathArgs, ...(request.param('args')?.split(',') ?? [])];
    const env = [...request.params]
      .filter(([name]) => name.startsWith('env_'))
      .map(([name, value]) => [name.slice('env_'.length), value]);
    const seconds = request.param('timeout') ?? '30';
    if (!/^[1-9]\d{0,4}$/.test(seconds)) throw badParam('timeout', seconds, 'seconds, such as 30');
    const result = await around.run(command, args, {
      env: Object.fromEntries(env) as Record<string, string>,
      timeoutMs: Number(seconds) * 1000,
    });
    if (result.exitCode !== 0) throw failedCommand(command, result);
    return request.param('trim') === 'false' ? result.stdout : result.stdout.replace(/[ \t\r\n]+$/, '');
  },
};
