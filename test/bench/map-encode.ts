/**
 * Ours of P6: raw bytes to encoded canonical event, on one thread, with the code and the context that the
 * gateway's worker uses under the built-in config. Prints one JSON line of lazy-read's shape.
 *
 *   node map-encode.js [--seconds 2]
 */
import { parseArgs } from 'node:util';
import { compileMeaning } from '../../gateway/meaning-of-text.ts';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { BackWriter } from '../../proto/back-writer.ts';
import { writeClinicalEvent } from '../../proto/gen/hilum/v1/event-writer.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { measure, messagesOf, type SetFigures, type SetName, setNames } from './message-sets.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '2' } } });
const record = JournalRecord.fromPartial({
  source: 'mllp',
  protocol: 'mllp',
  capturedAtUs: 1_772_359_200_000_000n,
});
const writer = new BackWriter();
const context = compileMeaning('', 0).contextFor(record);

const figures: Partial<Record<SetName, SetFigures & { eventsEach: number; encodedBytes: number }>> = {};
for (const set of setNames) {
  const messages = messagesOf(set);
  if (messages.length === 0) continue;
  let [events, encodedBytes] = [0, 0];
  // The mapping is much code: on a slow machine it is six seconds until all of it is compiled.
  const found = await measure(messages, Number(values.seconds), 6, () => {
    [events, encodedBytes] = [0, 0];
    for (const message of messages) {
      for (const event of normalizeHl7v2(message, context).events) {
        events += 1;
        writer.clear();
        writeClinicalEvent(writer, event);
        encodedBytes += writer.mark();
      }
    }
  });
  figures[set] = {
    ...found,
    eventsEach: Number((events / messages.length).toFixed(2)),
    encodedBytes: Math.round(encodedBytes / messages.length),
  };
}
console.log(JSON.stringify({ bench: 'map-encode', ...figures }));
