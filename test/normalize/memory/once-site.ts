/** A site with a config, as its normalizer sees it: one record after the other, with a memory that forgets nothing. */
import { type Meaning, read } from '../../../gateway/meaning.ts';
import { compileMeaning } from '../../../gateway/meaning-of-text.ts';
import type { About } from '../../../gateway/normalize/memory/memory.ts';
import { needsOf, remember } from '../../../gateway/normalize/memory/rules.ts';
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { JournalRecord } from '../../../proto/gen/hilum/v1/journal.ts';
import { looksLikeHl7v2 } from '../../../proto/looks-like-hl7v2.ts';
import { epoch, Rows } from './site.ts';

export class OnceSite {
  readonly rows: Rows;
  readonly #meaning: Meaning;
  #sequence = 0;
  /** The last record of the source that went to quarantine. */
  lastUnread = 0;

  /** @param rows what a site with another config has left */
  constructor(yaml: string, rows = new Rows()) {
    this.rows = rows;
    this.#meaning = compileMeaning(yaml, 1);
  }

  /** The events of one record, as they are delivered. @param capturedS seconds after the first @param replays from quarantine */
  take(source: string, raw: Buffer, capturedS = this.#sequence, sequence = 0, replays = 0): ClinicalEvent[] {
    if (sequence === 0) this.#sequence += 1;
    const protocol = looksLikeHl7v2(raw) ? 'mllp' : 'mqtt';
    const capturedAtUs = BigInt(Math.round((1_764_000_000 + capturedS) * 1000)) * 1000n;
    const record = JournalRecord.fromPartial({
      source,
      protocol,
      raw,
      capturedAtUs,
      topic: 'devices/x',
      replays,
    });
    const { events } = read(record, this.#meaning, epoch);
    const { enrichment } = this.#meaning;
    const about: About = {
      ...{
        epoch,
        source,
        capturedAtUs,
        enrichment,
        replayed: replays > 0,
        lastUnread: () => this.lastUnread,
      },
      sequence: BigInt(sequence || this.#sequence),
      once: this.#meaning.onceFor(record, events),
    };
    this.rows.name(needsOf(events, about));
    remember(events, about, this.rows);
    return events;
  }

  /** A record that cannot be read. */
  skip(): void {
    this.#sequence += 1;
    this.lastUnread = this.#sequence;
  }

  one(source: string, raw: Buffer, capturedS?: number, sequence?: number): ClinicalEvent {
    const [event, ...more] = this.take(source, raw, capturedS, sequence);
    if (event === undefined || more.length > 0) throw new Error('not one event');
    return event;
  }
}
