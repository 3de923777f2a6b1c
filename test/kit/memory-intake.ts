/**
 * The intake in memory, for tests of capture: keeps repeat keys as the journal does, and lets the test decide
 * when and how each commit settles. Receipts settle in the order of the calls only if the test settles them so.
 */
import {
  type Intake,
  IntakeRefused,
  type Receipt,
  type RecordDraft,
  type Sessions,
} from '../../gateway/capture/intake.ts';

export interface PendingAppend {
  readonly draft: RecordDraft;
  settle(): void;
  refuse(code: IntakeRefused['code']): void;
}

export class MemorySessions implements Sessions {
  readonly keys = new Set<string>();

  has(key: string): boolean {
    return this.keys.has(key);
  }

  async keep(key: string): Promise<void> {
    this.keys.add(key);
  }

  async end(key: string): Promise<void> {
    this.keys.delete(key);
  }
}

export class MemoryIntake implements Intake {
  readonly sessions = new MemorySessions();
  /** Every append, repeats and refused ones too. */
  readonly appended: PendingAppend[] = [];
  /** What was journaled; the bytes are copies, because a draft's are a view that dies with its chunk. */
  readonly records: RecordDraft[] = [];
  /** true: nothing settles by itself. */
  manual = false;
  /** Every append is refused with this. */
  refusal: IntakeRefused['code'] | undefined;
  readonly #keys = new Map<string, { raw: string; sequence: bigint }>();

  append(given: RecordDraft): Promise<Receipt> {
    const draft = { ...given, raw: Buffer.from(given.raw) };
    return new Promise((resolve, reject) => {
      const pending: PendingAppend = {
        draft,
        settle: () => resolve(this.#commit(draft)),
        refuse: (code) => reject(new IntakeRefused(code, 'refused by the test')),
      };
      this.appended.push(pending);
      if (this.refusal !== undefined) pending.refuse(this.refusal);
      else if (!this.manual) setImmediate(() => pending.settle());
    });
  }

  async release(key: string): Promise<void> {
    this.#keys.delete(key);
  }

  /** MSH-10 of what was journaled, in order. */
  get controlIds(): string[] {
    return this.records.map(({ messageControlId }) => messageControlId);
  }

  #commit(draft: RecordDraft): Receipt {
    const raw = Buffer.from(draft.raw).toString('base64');
    const known = draft.repeat?.consult ? this.#keys.get(draft.repeat.key) : undefined;
    if (known?.raw === raw) return { outcome: 'repeat', sequence: known.sequence };
    this.records.push(draft);
    const sequence = BigInt(this.records.length);
    if (draft.repeat) this.#keys.set(draft.repeat.key, { raw, sequence });
    return { outcome: 'journaled', sequence };
  }
}
