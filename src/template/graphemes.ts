/** Made when first needed: that takes longer than reading most templates. */
let segmenter: Intl.Segmenter | undefined;

/** What a reader takes for characters: grapheme clusters, as cty counts a string. */
export function graphemes(value: string): string[] {
  // Plain ASCII needs no segmenter.
  if (/^[\x20-\x7e]*$/.test(value)) return Array.from(value);
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return [...segmenter.segment(value)].map((s) => s.segment);
}
