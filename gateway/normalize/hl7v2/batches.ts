/**
 * Whether a batch is all that was sent: FHS { BHS { MSH … } BTS } FTS, each of the four optional [HL7 2.10.3].
 *
 * BTS-1 counts the messages of the batch, FTS-1 the batches of the file. A count that does not fit, or a header without
 * its trailer, says that something may be missing; what is here is nevertheless whole, so it costs a remark and no message.
 */

/** Of one message; a record that is nothing but trailers must not make a list of them. */
const remarksMax = 8;

interface Open {
  /** The first message of it, from 0. */
  readonly from: number;
  /** It began with BHS or FHS. */
  readonly headed: boolean;
  /** How many it has: messages, batches. */
  has: number;
}

export class Batches {
  /** By message, from 0. */
  private readonly told: string[][] = [];
  private messages = 0;
  private batch: Open | undefined;
  private file: Open = { from: 0, headed: false, has: 0 };

  /** The next message of the record. @param again it is the header of the one behind it, sent twice */
  message(again: boolean): void {
    this.batch ??= this.opened(false);
    this.messages++;
    if (!again) this.batch.has++;
  }

  /** @param count the first field, NM as sent; empty where there is none */
  mark(name: string, count: string): void {
    if (name === 'BHS') {
      this.endBatch();
      this.batch = this.opened(true);
    } else if (name === 'BTS') {
      const batch = this.batch ?? this.opened(false);
      const said = numberOf(count);
      if (said !== undefined && said !== batch.has)
        this.tell(batch, `BTS-1: it counts ${said} messages, the batch has ${batch.has}`);
      this.batch = undefined;
    } else {
      this.endBatch();
      const said = name === 'FTS' ? numberOf(count) : undefined;
      if (name === 'FHS') this.endFile();
      else if (said !== undefined && said !== this.file.has)
        this.tell(this.file, `FTS-1: it counts ${said} batches, the file has ${this.file.has}`);
      this.file = { from: this.messages, headed: name === 'FHS', has: 0 };
    }
  }

  end(): void {
    this.endBatch();
    this.endFile();
  }

  /** What is to be remarked of a message, by its number from 0. */
  remarksOf(index: number): readonly string[] {
    return this.told[index] ?? [];
  }

  private opened(headed: boolean): Open {
    this.file.has++;
    return { from: this.messages, headed, has: 0 };
  }

  private endBatch(): void {
    if (this.batch?.headed === true)
      this.tell(this.batch, 'BHS: no BTS ends the batch, what stood behind may be missing');
    this.batch = undefined;
  }

  private endFile(): void {
    if (this.file.headed) this.tell(this.file, 'FHS: no FTS ends the file, what stood behind may be missing');
  }

  /** To each of its messages; of one without any to the message before it, or the first. */
  private tell({ from }: Open, text: string): void {
    const first = from < this.messages ? from : Math.max(0, this.messages - 1);
    for (let at = first; at < Math.max(this.messages, 1); at++) {
      this.told[at] ??= [];
      const told = this.told[at] as string[];
      if (told.length < remarksMax) told.push(text);
    }
  }
}

function numberOf(sent: string): number | undefined {
  const text = sent.trim();
  return /^\+?\d{1,9}$/.test(text) ? Number(text) : undefined;
}
