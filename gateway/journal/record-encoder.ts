/** Encodes records with a writer that is kept: its buffer costs more than what is written, unless a large record has grown it. */
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';

const keptBytesMax = 1024 ** 2;

export class RecordEncoder {
  #writer = new BinaryWriter();

  encode(record: JournalRecord): Uint8Array {
    const bytes = JournalRecord.encode(record, this.#writer).finish();
    if (bytes.length > keptBytesMax) this.#writer = new BinaryWriter();
    return bytes;
  }
}
