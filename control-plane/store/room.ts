/**
 * What gateways bring waits while the store has no room for it: nothing is refused and nothing acknowledged, so it stays
 * in their journals, and goes on by itself once there is room again. What keeps the control plane usable (configs,
 * tokens, the trail of what admins do) is small, and written into the reserve.
 */
import { HilumError } from '../../gateway/process/errors.ts';
import type { Store } from './store.ts';

/** A disk tells nobody that there is room again. */
const lookAgainMs = 250;

export class Room {
  readonly #store: Store;
  readonly #tell: (full: boolean) => void;
  #waiting: Promise<void> | undefined;

  /** @param tell of each change */
  constructor(store: Store, tell: (full: boolean) => void) {
    this.#store = store;
    this.#tell = tell;
  }

  get isFull(): boolean {
    return this.#waiting !== undefined;
  }

  /** Undefined where there is room for so much more; else resolves once there is. */
  for(bytes: number): Promise<void> | undefined {
    if (this.#waiting === undefined && !this.#store.hasRoom(bytes)) this.#waiting = this.#again();
    return this.#waiting;
  }

  /** For what nobody waits with. @throws HilumError `store-full` */
  need(bytes: number): void {
    if (this.for(bytes) === undefined) return;
    throw new HilumError('store-full', 'The volume of the control plane is at its reserve.', {
      hint: 'Free or add space there; it goes on by itself.',
    });
  }

  #again(): Promise<void> {
    this.#tell(true);
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        if (!this.#store.hasRoom(0)) return;
        clearInterval(timer);
        this.#waiting = undefined;
        this.#tell(false);
        resolve();
      }, lookAgainMs);
      timer.unref();
    });
  }
}
