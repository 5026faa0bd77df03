import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Files of a machine that is off, on an overlay over an image, by debugfs: nothing of it is run or mounted. */
export function filesOf(overlay: string, image: string) {
  const raw = `${overlay}.raw`;
  const qcow2 = (path: string) => ({ driver: 'qcow2', file: { driver: 'file', filename: path } });
  const source = `json:${JSON.stringify({ ...qcow2(overlay), backing: qcow2(image) })}`;
  execFileSync('qemu-img', ['convert', '-O', 'raw', source, raw]);
  const table = JSON.parse(execFileSync('sfdisk', ['-J', raw], { encoding: 'utf8' })) as {
    partitiontable: { partitions: { start: number; size: number; name: string }[] };
  };
  const { start = 0, size = 0 } = table.partitiontable.partitions.find((p) => p.name === 'root') ?? {};
  // By itself: e2fsck forgets where in a disk it was when it has replayed a journal.
  const root = `${overlay}.root`;
  const part = [`skip=${start * 512}`, `count=${size * 512}`, 'iflag=skip_bytes,count_bytes'];
  execFileSync('dd', [`if=${raw}`, `of=${root}`, 'bs=1M', 'conv=sparse', ...part], { stdio: 'pipe' });
  rmSync(raw);
  // What the next boot does, too: the journal is replayed. 1 says that it was put in order.
  const { status, stdout } = spawnSync('e2fsck', ['-p', root], { encoding: 'utf8' });
  if (status === null || status > 1) throw new Error(`the filesystem is damaged: ${stdout}`);
  const debugfs = (command: string): string =>
    execFileSync('debugfs', ['-R', command, root], { encoding: 'utf8', stdio: 'pipe' });
  return {
    cat: (path: string) => debugfs(`cat ${path}`),
    stat: (path: string) => debugfs(`stat ${path}`),
    names: (path: string) =>
      debugfs(`ls -p ${path}`)
        .split('\n')
        .map((line) => line.split('/')[5] ?? ''),
    /** Every file below a folder as one text. */
    all(path: string): string {
      const target = `${overlay}.files`;
      mkdirSync(target, { recursive: true });
      debugfs(`rdump ${path} ${target}`);
      const texts = readdirSync(target, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
      rmSync(target, { recursive: true });
      return texts.join('');
    },
    [Symbol.dispose]: () => rmSync(root),
  };
}
