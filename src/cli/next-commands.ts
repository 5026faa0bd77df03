import { accessSync, constants } from 'node:fs';
import { delimiter, join, relative } from 'node:path';

/** What a user would want to do with fresh images, as commands that work where they are. */
export function nextCommands(
  images: readonly {
    readonly name: string;
    readonly version: string;
    readonly release?: object;
    readonly status: string;
  }[],
): string[] {
  const released = images.find((image) => image.status === 'done' && image.release);
  if (!released) return [];
  const reference = `${released.name}@${released.version}`;
  const ingot = ownCommand();
  return [`${ingot} boot ${reference}`, `${ingot} lookup ${reference}`, `${ingot} release list`];
}

/** `ingot` where that is on the PATH; in a checkout the way to its bin/ingot. */
function ownCommand(): string {
  const installed = (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, 'ingot'), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  const script = process.argv[1];
  if (installed || script === undefined) return 'ingot';
  const path = relative(process.cwd(), script);
  return path.startsWith('.') ? script : `./${path}`;
}
