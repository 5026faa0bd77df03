/** Starts to count the processor time of this process; the answer tells it in milliseconds. A busy machine does not change it. */
export function cpuTime(): () => number {
  const before = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  };
}
