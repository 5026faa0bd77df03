/** The artifacts that are more than the outputs, which are told by themselves: those with other files, or none. */
export function besideOutputs<A extends { readonly files: readonly string[] }>(
  artifacts: readonly A[],
  outputs: readonly { readonly path: string }[],
): A[] {
  const paths = new Set(outputs.map((output) => output.path));
  return artifacts.filter(({ files }) => files.length === 0 || !files.every((file) => paths.has(file)));
}
