/**
 * Variables that a container image sets for what runs in it (image-spec, config.md, "Env"): `NAME=value` strings. Those
 * of one name: the last counts, as in execve(2)'s readers. What is no variable is passed over.
 */
export function imageEnvironment(env: readonly string[]): Record<string, string> {
  const found: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const text of env) {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=([^\0]*)$/s.exec(text);
    if (match?.[1] !== undefined && match[2] !== undefined) found[match[1]] = match[2];
  }
  return found;
}
