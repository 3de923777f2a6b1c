/**
 * Encodes the records of a row behind each other. Small ones are copied once, when the row is complete, into one
 * piece of memory for all: one for each record cost as much as writing it. A large one keeps the piece that it is
 * encoded into.
 */
import { BackWriter } from '../../proto/back-writer.ts';
import { writeJournalRecord } from '../../proto/gen/hilum/v1/event-writer.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { rowBytesMax } from './rows.ts';

export class RecordEncoder {
  readonly #writer = new BackWriter();
  #small = Buffer.allocUnsafeSlow(rowBytesMax);
  #filled = 0;
  /** Of each record its bytes where it is large, else their number. */
  #parts: (Uint8Array | number)[] = [];

  /** Returns the number of bytes. */
  add(record: JournalRecord): number {
    // A large one completes its row.
    const isSmall = record.raw.length < rowBytesMax;
    return (isSmall ? this.#addSmall(record) : this.#addLarge(record)).length;
  }

  #addSmall(record: JournalRecord): Buffer {
    this.#writer.clear();
    writeJournalRecord(this.#writer, record);
    const bytes = this.#writer.since(0);
    const end = this.#filled + bytes.length;
    if (end > this.#small.length) {
      const larger = Buffer.allocUnsafeSlow(end * 2);
      this.#small.copy(larger, 0, 0, this.#filled);
      this.#small = larger;
    }
    bytes.copy(this.#small, this.#filled);
    this.#filled = end;
    this.#parts.push(bytes.length);
    return bytes;
  }

  #addLarge(record: JournalRecord): Uint8Array {
    const bytes = JournalRecord.encode(record).finish();
    this.#parts.push(bytes);
    return bytes;
  }

  /** Of each record that was added since the last call its bytes. */
  take(): Uint8Array[] {
    const small = Buffer.from(this.#small.subarray(0, this.#filled));
    let from = 0;
    const taken = this.#parts.map((part) => {
      if (typeof part !== 'number') return part;
      from += part;
      return small.subarray(from - part, from);
    });
    this.#filled = 0;
    this.#parts = [];
    return taken;
  }
}
