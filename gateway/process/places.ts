/** The places of what anybody may take: so many in all, and of one address. A place is taken before any handshake. */

/** What a place is taken for: a socket, or a call. */
interface Holder {
  once(event: 'close', gone: () => void): unknown;
}

export class Places<T extends Holder> {
  readonly #max: number;
  readonly #perAddressMax: number;
  readonly #holders = new Set<T>();
  readonly #perAddress = new Map<string, number>();

  constructor(max: number, perAddressMax: number) {
    this.#max = max;
    this.#perAddressMax = perAddressMax;
  }

  /** Those that are open, also while their handshake lasts. */
  get holders(): ReadonlySet<T> {
    return this.#holders;
  }

  isFull(address: string): boolean {
    return this.#holders.size >= this.#max || (this.#perAddress.get(address) ?? 0) >= this.#perAddressMax;
  }

  /** Until it closes. */
  take(holder: T, address: string): void {
    this.#holders.add(holder);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    holder.once('close', () => {
      this.#holders.delete(holder);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
  }
}
