/** What a user would want to do with fresh images. */
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
  return [`ingot boot ${reference}`, `ingot lookup ${reference}`, 'ingot release list'];
}
