/** Names of sources as two bytes, so that keys and counts are small; a number is given once and for ever. */
import { shortKey, tables } from './layout.ts';
import type { JournalPart } from './part.ts';

export class Sources {
  readonly #part: JournalPart;
  readonly #numbers = new Map<string, number>();
  readonly #names = new Map<number, string>();

  constructor(part: JournalPart) {
    this.#part = part;
    for (const { key, value } of part.environment.table(tables.sources).getRange({})) {
      this.#remember(value.toString(), key.readUInt16BE(0));
    }
  }

  name(number: number): string {
    return this.#names.get(number) ?? `source-${number}`;
  }

  /** A new name gets its number in the round that is open now. */
  number(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#numbers.size + 1;
    this.#remember(name, number);
    const table = this.#part.environment.table(tables.sources);
    this.#part.committer.round().put(table, shortKey(number), Buffer.from(name));
    return number;
  }

  #remember(name: string, number: number): void {
    this.#numbers.set(name, number);
    this.#names.set(number, name);
  }
}
