/** Whether a source file exports a plugin of the template: a source, provisioner, post-processor or data source. */
export function exportsPlugin(text: string): boolean {
  return /^export const \w+(?:\s*:\s*|[^;]*?\bsatisfies\s+)(?:Source|Provisioner|PostProcessor|DataSource)\b/m.test(
    text,
  );
}
