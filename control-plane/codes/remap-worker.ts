/** The thread that maps records again: it is ended when one takes too long, and holds no handle on the world. */
import { parentPort } from 'node:worker_threads';
import { type Meaning, understand } from '../../gateway/meaning.ts';
import { compileMeaning } from '../../gateway/meaning-of-text.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import type { RemapJob, Remapped } from './remap-job.ts';

let meaning: Meaning | undefined;

parentPort?.on('message', ({ id, yaml, version, record, epoch }: RemapJob) => {
  if (meaning?.version !== version) meaning = compileMeaning(yaml, version);
  const made = understand(JournalRecord.decode(record), meaning, epoch);
  parentPort?.postMessage({
    id,
    events: made.events.map((event) => ClinicalEvent.encode(event).finish()),
    lane: made.lane,
    reject: made.reject?.code ?? '',
  } satisfies Remapped);
});
