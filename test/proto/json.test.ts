/**
 * The JSON form of an event loses nothing: JSON → message → the same bytes. An independent reader of proto3 JSON,
 * which knows the contract from its descriptor set alone, reads the same.
 */
import { fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf';
import t from 'tap';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { corpusEvents, sampleEvents } from '../fhir/events.ts';
import { seededRandom, seedOfThisRun } from '../kit/random.ts';
import { eventSchema, randomEvent } from '../kit/random-event.ts';
import { corpusPresent } from '../normalize/corpus-outcomes.ts';

/** What is lost on the way through `-o jsonl`; empty for nothing. */
function lost(event: ClinicalEvent): string {
  const bytes = ClinicalEvent.encode(event).finish();
  const line = JSON.stringify(ClinicalEvent.toJSON(event));
  const back = ClinicalEvent.encode(ClinicalEvent.fromJSON(JSON.parse(line))).finish();
  if (!Buffer.from(back).equals(bytes)) return 'ours reads other bytes than were written';
  // Field order aside, an independent reader must see the same message, and refuse no member.
  const theirs = toBinary(eventSchema, fromJson(eventSchema, JSON.parse(line) as JsonValue));
  const again = ClinicalEvent.encode(ClinicalEvent.decode(theirs)).finish();
  return Buffer.from(again).equals(bytes) ? '' : 'a reader of proto3 JSON sees another message';
}

t.test(
  'event json - every event of the corpus is the same after JSON',
  {
    skip: corpusPresent() ? false : 'corpus not present (HILUM_CORPUS)',
  },
  async (t) => {
    const events = corpusEvents();
    for (const { name, event } of events) {
      const problem = lost(event);
      if (problem !== '') t.fail(`${name}: ${problem}`);
    }
    t.ok(events.length > 400, `${events.length} events`);
  },
);

t.test('event json - every event of our samples is the same after JSON', async (t) => {
  for (const { name, event } of sampleEvents()) t.equal(lost(event), '', name);
});

const seed = seedOfThisRun();

t.test(`event json - 500 random events are the same after JSON (seed ${seed})`, async (t) => {
  const random = seededRandom(seed);
  let bytes = 0;
  for (let round = 0; round < 500; round++) {
    const event = randomEvent(random);
    bytes += ClinicalEvent.encode(event).finish().length;
    const problem = lost(event);
    if (problem !== '') t.fail(`round ${round} of seed ${seed}: ${problem}`);
  }
  t.ok(bytes > 100_000, `${bytes} bytes`);
});

t.test('event json - a change of one field is seen', async (t) => {
  const [first] = sampleEvents();
  const json = ClinicalEvent.toJSON(first?.event as ClinicalEvent) as { position: { epoch: string } };
  t.equal(json.position.epoch, '18364758544493064720', '64 bits are a string');
  json.position.epoch = '18364758544493064721';
  const changed = ClinicalEvent.encode(ClinicalEvent.fromJSON(json)).finish();
  t.notOk(Buffer.from(changed).equals(ClinicalEvent.encode(first?.event as ClinicalEvent).finish()));
});

t.test('event json - names are lowerCamelCase and bytes base64', async (t) => {
  const event = ClinicalEvent.fromPartial({
    budgetMs: 1,
    observations: [{ attachment: { data: Buffer.from([0, 255]), size: 2n } }],
    provenance: { messageControlId: 'C-1' },
  });
  t.same(ClinicalEvent.toJSON(event), {
    budgetMs: 1,
    observations: [{ attachment: { data: 'AP8=', size: '2' } }],
    provenance: { messageControlId: 'C-1' },
  });
  t.same(
    toJson(eventSchema, fromJson(eventSchema, ClinicalEvent.toJSON(event) as JsonValue)),
    ClinicalEvent.toJSON(event),
  );
});
