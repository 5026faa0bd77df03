interface Difference {
  readonly image: string;
  readonly formats: readonly string[];
  readonly files: readonly { readonly step: string; readonly path: string }[];
}

const SHOWN = 20;

/** What `--verify-reproducible` found, for people. */
export function reproducibilityText({
  reproducible,
  differences,
}: {
  readonly reproducible?: boolean;
  readonly differences: readonly Difference[];
}): string {
  if (reproducible === undefined) return 'not built again: the first build failed';
  if (reproducible) return 'reproducible: both builds gave the same bytes';
  return differences
    .map(({ image, formats, files }) => {
      const lines = files.slice(0, SHOWN).map((file) => `  ${file.path}  (first differs after ${file.step})`);
      if (files.length > SHOWN) lines.push(`  and ${files.length - SHOWN} more files`);
      if (files.length === 0)
        lines.push('  the filesystems are equal; the difference arises in writing the output');
      return `${image} is not reproducible: ${formats.join(', ')}\n${lines.join('\n')}`;
    })
    .join('\n');
}
