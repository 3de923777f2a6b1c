/** Full-jitter back-off: anything between nothing and the cap, so that a thousand gateways never come at once. */
export function backoffMs(attempt: number, random: () => number): number {
  const capMs = Math.min(20_000, 500 * 2 ** Math.min(attempt, 10));
  return Math.floor(random() * capMs);
}
