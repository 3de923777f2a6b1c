/**
 * One record in, its events out: chooses the mapping by protocol and content. Pure.
 */
import type { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { looksLikeHl7v2 } from '../../proto/looks-like-hl7v2.ts';
import { associate } from './association.ts';
import { normalizeDevice } from './device/index.ts';
import { normalizeHl7v2 } from './hl7v2/index.ts';
import { giveMeaning } from './meaning-of-codes.ts';
import { mappingFailed, type NormalizeContext, type Normalized } from './outcome.ts';

/** Raised with every change of meaning of the built-in mappings. */
export const mappingVersion = 'builtin@5';

export function normalize(record: JournalRecord, context: NormalizeContext): Normalized {
  const made = byContent(record, context);
  return record.will ? asWill(made) : made;
}

/** Nothing was measured when a will was told: its bytes are those that the device left with the broker long before. */
function asWill(made: Normalized): Normalized {
  for (const { provenance } of made.events)
    provenance?.remarks.unshift('an MQTT will: told when its client was gone');
  if (made.reject === undefined) return made;
  const reason = `An MQTT will, told when its client was gone: ${made.reject.reason}`;
  return { ...made, reject: { ...made.reject, reason } };
}

function byContent(record: JournalRecord, context: NormalizeContext): Normalized {
  try {
    const made =
      looksLikeHl7v2(record.raw) || record.protocol === 'mllp'
        ? normalizeHl7v2(record.raw, context)
        : normalizeDevice(record.raw, context);
    for (const event of made.events) associate(event, context.devices ?? [], context.source);
    const { unmapped, critical } = giveMeaning(made.events, context);
    if (unmapped.length > 0) made.unmapped = unmapped;
    if (critical.length > 0) made.critical = critical;
    return made;
  } catch (error) {
    // A mapping must not throw; if it does, it costs this record alone.
    return { events: [], reject: mappingFailed('The mapping failed on this message', error) };
  }
}
