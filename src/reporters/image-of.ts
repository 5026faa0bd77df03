/** The image that a step's label belongs to: `web` of `web/shell[1]`. */
export function imageOf(step: string): string {
  const slash = step.indexOf('/');
  return slash === -1 ? step : step.slice(0, slash);
}
