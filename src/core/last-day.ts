/** Whether a text is a day of the calendar: `2027-01-31`. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

/** Whether what holds until a day has ended: the whole last day counts, in UTC. */
export function hasEnded({ expires }: { readonly expires: string }, now: Date): boolean {
  return now.toISOString().slice(0, 10) > expires;
}
