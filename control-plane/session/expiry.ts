/** Waiting for a moment that may be years ahead, by a clock that may be set meanwhile. */

/** So long at most until the clock is looked at again; a timer could not wait for more than 24 days, either. */
const lookEveryMs = 60 * 60_000;

/** Calls once the moment has come; returns what ends the waiting. @param atUs microseconds since 1970 */
export function whenCome(atUs: bigint, nowUs: () => bigint, come: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const leftMs = Math.ceil(Number(atUs - nowUs()) / 1000);
    if (leftMs <= 0) come();
    else timer = setTimeout(look, Math.min(leftMs, lookEveryMs)).unref();
  };
  look();
  return () => clearTimeout(timer);
}
