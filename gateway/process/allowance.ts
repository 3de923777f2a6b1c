/**
 * Time that a thread is given for its work. A machine that stands still (a snapshot, a migration, a debugger) stands
 * still for the thread too, and an event loop that is held up has not looked at what the thread has said: neither is
 * the thread's time. So time is counted in small steps, each for no more than it was to be, and in the end what has
 * arrived is looked at first.
 */
const stepMs = 250;

export class Allowance {
  #timer: NodeJS.Timeout | undefined;
  #round = 0;

  /** From here on so many milliseconds; what was given before is forgotten. */
  give(ms: number, onOver: () => void): void {
    this.end();
    this.#step(ms, this.#round, onOver);
  }

  end(): void {
    this.#round += 1;
    clearTimeout(this.#timer);
  }

  #step(leftMs: number, round: number, onOver: () => void): void {
    const lengthMs = Math.min(leftMs, stepMs);
    this.#timer = setTimeout(() => {
      if (leftMs > lengthMs) {
        this.#step(leftMs - lengthMs, round, onOver);
        return;
      }
      // Timers come before messages: those that wait are heard before this.
      setImmediate(() => {
        if (this.#round === round) onOver();
      });
    }, lengthMs);
  }
}
