/** Whether an address or URL names the machine itself, which can be reached without a network. */
export function isLocalAddress(address: string): boolean {
  const place = address
    .replace(/^[a-z0-9+.-]+:\/\//i, '')
    .replace(/[/?#].*$/s, '')
    .replace(/^[^@]*@/, '');
  const host = /^\[([^\]]*)\]/.exec(place)?.[1] ?? place.replace(/:[0-9]*$/, '');
  return host === 'localhost' || host === '::1' || /^127(?:\.[0-9]{1,3}){3}$/.test(host);
}
