/**
 * Ours of P6: raw bytes to encoded canonical event, on one thread, with the code and the context that the
 * gateway's worker uses under the built-in config. Prints one JSON line of lazy-read's shape.
 *
 *   node map-encode.js [--seconds 2]
 */
import { parseArgs } from 'node:util';
import { compileMeaning } from '../../gateway/meaning.ts';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { BackWriter } from '../../proto/back-writer.ts';
import { writeClinicalEvent } from '../../proto/gen/hilum/v1/event-writer.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { messageMaker } from '../kit/messages.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '2' } } });
const record = JournalRecord.fromPartial({
  source: 'mllp',
  protocol: 'mllp',
  capturedAtUs: 1_772_359_200_000_000n,
});
const writer = new BackWriter();
const context = compileMeaning('', 0).contextFor(record);

function measure(kind: 'oru' | 'oru10k') {
  const make = messageMaker({ seed: 1, kind });
  const messages = Array.from({ length: 500 }, (_, n) => make(n).bytes);
  let [events, encodedBytes, rounds] = [0, 0, 0];
  const round = () => {
    for (const message of messages) {
      for (const event of normalizeHl7v2(message, context).events) {
        events += 1;
        writer.clear();
        writeClinicalEvent(writer, event);
        encodedBytes += writer.mark();
      }
    }
  };
  // The mapping is much code: it is seconds until all of it is compiled.
  const warmUntil = performance.now() + 2000;
  while (performance.now() < warmUntil) round();
  [events, encodedBytes] = [0, 0];
  const startedAt = performance.now();
  while (performance.now() - startedAt < Number(values.seconds) * 1000) {
    round();
    rounds += 1;
  }
  const tookUs = (performance.now() - startedAt) * 1000;
  const total = rounds * messages.length;
  return {
    bytes: messages[0]!.length,
    rate: Math.round((total / tookUs) * 1e6),
    usEach: Number((tookUs / total).toFixed(2)),
    eventsEach: events / total,
    encodedBytes: Math.round(encodedBytes / events),
  };
}

console.log(JSON.stringify({ bench: 'map-encode', oru1k: measure('oru'), oru10k: measure('oru10k') }));
