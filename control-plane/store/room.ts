/**
 * Room for what gateways bring. Where the store has none, it waits: nothing is acknowledged, so it stays in their
 * journals as well, and goes on by itself once there is room again, one after the other in the order in which it came.
 * What waits has a bound over all gateways; beyond it they are turned away and come again. What keeps the control plane
 * usable (configs, tokens, the trail of what admins do) is small, and written into the reserve.
 *
 *   enter ──► in ──► written ──► leave
 *     └─no room─► waiting ──► in | gone with its session
 *         └─too much waits─► refused
 */
import { HilumError } from '../../gateway/process/errors.ts';
import type { Store } from './store.ts';

/** A disk tells nobody that there is room again. */
const lookAgainMs = 250;
/** It stands decoded in memory. */
const waitingBytesMax = 64 * 1024 ** 2;

export type Entry = 'in' | 'gone' | 'refused';

interface Waiter {
  bytes: number;
  admit(): void;
}

export class Room {
  readonly #store: Store;
  readonly #tell: (full: boolean) => void;
  readonly #waiting: Waiter[] = [];
  #waitingBytes = 0;
  /** Of what is in and not written yet. */
  #comingBytes = 0;
  #looking: NodeJS.Timeout | undefined;

  /** @param tell of each change */
  constructor(store: Store, tell: (full: boolean) => void) {
    this.#store = store;
    this.#tell = tell;
  }

  get isFull(): boolean {
    return this.#waiting.length > 0;
  }

  /** No more can wait. */
  get isCrowded(): boolean {
    return this.#waitingBytes >= waitingBytesMax;
  }

  /** Undefined where there is room: it is in, until `leave`. @param gone resolves when nobody waits for it any more */
  enter(bytes: number, gone: Promise<void>): Promise<Entry> | undefined {
    if (!this.isFull && this.#admits(bytes)) return undefined;
    return this.isCrowded ? Promise.resolve('refused') : this.#wait(bytes, gone);
  }

  /** What was let in is written, or will not be. */
  leave(bytes: number): void {
    this.#comingBytes -= bytes;
  }

  /** For what does not wait. @throws HilumError `store-full` */
  need(bytes: number): void {
    if (!this.isFull && this.#store.hasRoom(this.#comingBytes + bytes)) return;
    throw new HilumError('store-full', 'The volume of the control plane is at its reserve.', {
      hint: 'Free or add space there; it goes on by itself.',
    });
  }

  #admits(bytes: number): boolean {
    if (!this.#store.hasRoom(this.#comingBytes + bytes)) return false;
    this.#comingBytes += bytes;
    return true;
  }

  #wait(bytes: number, gone: Promise<void>): Promise<Entry> {
    if (!this.isFull) this.#tell(true);
    this.#looking ??= setInterval(() => this.#look(), lookAgainMs).unref();
    this.#waitingBytes += bytes;
    return new Promise((resolve) => {
      const waiter = { bytes, admit: () => resolve('in') };
      this.#waiting.push(waiter);
      void gone.then(() => {
        const at = this.#waiting.indexOf(waiter);
        if (at < 0) return;
        this.#waiting.splice(at, 1);
        this.#left(bytes);
        resolve('gone');
      });
    });
  }

  #look(): void {
    for (let [next] = this.#waiting; next !== undefined && this.#admits(next.bytes); [next] = this.#waiting) {
      this.#waiting.shift();
      next.admit();
      this.#left(next.bytes);
    }
  }

  #left(bytes: number): void {
    this.#waitingBytes -= bytes;
    if (this.isFull) return;
    clearInterval(this.#looking);
    this.#looking = undefined;
    this.#tell(false);
  }
}
