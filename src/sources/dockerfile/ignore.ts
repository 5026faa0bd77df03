/** Whether a path of the context is left out: by the last line of .dockerignore that matches it or a folder above it. */
export type Ignored = (path: string) => boolean;

/** Reads a .dockerignore (docs.docker.com, "Build context", .dockerignore files): Go's filepath.Match, `**`, `!`. */
export function parseIgnore(text: string): Ignored {
  const rules = text
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim())
    .filter((line) => line !== '' && line !== '!')
    .map((line) => {
      const keeps = line.startsWith('!');
      const path = (keeps ? line.slice(1).trim() : line).replace(/^(\.?\/)+|\/+$/g, '');
      return { keeps, pattern: patternOf(path) };
    });
  return (path) => {
    const parts = path.split('/');
    const above = parts.map((_, i) => parts.slice(0, i + 1).join('/'));
    let ignored = false;
    for (const { keeps, pattern } of rules) if (above.some((one) => pattern.test(one))) ignored = !keeps;
    return ignored;
  };
}

function patternOf(text: string): RegExp {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string;
    const end = c === '[' ? text.indexOf(']', i + 2) : -1;
    if (text.startsWith('**/', i)) {
      out += '(?:[^/]+/)*';
      i += 2;
    } else if (text.startsWith('**', i)) {
      out += '.*';
      i++;
    } else if (c === '*') out += '[^/]*';
    else if (c === '?') out += '[^/]';
    else if (end > 0) {
      out += `[${text.slice(i + 1, end).replace(/[\\\]]/g, '\\$&')}]`;
      i = end;
    } else out += (c === '\\' ? (text[++i] ?? '\\') : c).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  }
  return new RegExp(`^${out}$`, 's');
}
