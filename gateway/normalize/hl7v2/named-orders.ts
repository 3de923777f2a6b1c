/** Some reports name all their orders first, an ORC each, and tell of them then: an OBR is of the ORC with its numbers. */
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';

export class NamedOrders {
  #byNumbers: Map<string, ClinicalEvent> | undefined;

  /** There is none. */
  get isEmpty(): boolean {
    return this.#byNumbers === undefined;
  }

  /** @param seen segments that the order had */
  add(event: ClinicalEvent, seen: ReadonlySet<string>): void {
    if (!seen.has('ORC') || seen.has('OBR') || seen.has('OBX')) return;
    const { placer, filler } = event.order ?? {};
    this.#byNumbers ??= new Map();
    this.#byNumbers.set(keyOf(placer?.value, filler?.value), event);
  }

  /** Once. */
  take(placer: string, filler: string): ClinicalEvent | undefined {
    if (placer + filler === '') return undefined;
    const key = keyOf(placer, filler);
    const event = this.#byNumbers?.get(key);
    this.#byNumbers?.delete(key);
    return event;
  }

  clear(): void {
    this.#byNumbers = undefined;
  }
}

function keyOf(placer = '', filler = ''): string {
  return `${placer} ${filler}`;
}
