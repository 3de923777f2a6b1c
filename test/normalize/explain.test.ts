/** Explaining: each field's places and rules, found by changing what was sent; and what no rule used. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { meaningOf, understand } from '../../gateway/meaning.ts';
import { type Explained, explain } from '../../gateway/normalize/explain/explain.ts';
import { placesOfHl7v2 } from '../../gateway/normalize/explain/hl7v2.ts';
import { differences, leavesOf } from '../../gateway/normalize/explain/paths.ts';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { split } from '../../gateway/normalize/hl7v2/split.ts';
import { checkConfig } from '../../proto/config/check.ts';
import type { Config } from '../../proto/config/schema.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { er7, testContext } from './context.ts';
import { corpusFiles, corpusFolder, corpusPresent, isDocument } from './corpus-outcomes.ts';

function explained(raw: Uint8Array, yaml = '{}', source = 'lab'): Explained {
  const checked = checkConfig(yaml);
  if (checked.problems !== undefined) throw new Error(JSON.stringify(checked.problems));
  const record = JournalRecord.fromPartial({
    source,
    protocol: source === 'ward' ? 'mqtt' : 'mllp',
    capturedAtUs: 1n,
  });
  const meaning = meaningOf(checked.config, 0);
  return explain({
    raw,
    config: checked.config,
    context: meaning.contextFor(record),
    run: (bytes: Uint8Array, config: Config) =>
      understand({ ...record, raw: bytes }, config === checked.config ? meaning : meaningOf(config, 0)),
  });
}

/** Of one event: path → places, and path → rules. */
function fieldsOf(made: Explained, index = 0) {
  const fields = made.events[index]?.fields ?? [];
  return {
    from: new Map(fields.map(({ path, from }) => [path, from])),
    rules: new Map(fields.map(({ path, rules }) => [path, rules])),
    value: new Map(fields.map(({ path, value }) => [path, value])),
  };
}

const report = er7(
  'MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01^ORU_R01|M1|P|2.5.1',
  'PID|1||12345^^^HOSP&1.2.3&ISO^MR~99^^^XX^PI||MUSTER^ERIKA||19800101|F',
  'OBR|1|P1|F1|K^Potassium^99LAB|||20261123080000|||||||||||||||||CH|F',
  'OBX|1|NM|K^Potassium^99LAB||7.40|mmol/L|3.5-5.1|HH|||F|||20261123080000+0100|||||||||||||QQ',
  'OBX|2|NM|NA^Sodium^99LAB||140|mmol/L|135-145|N|||F',
  'ZBX|1|abc|Kit 7^L',
);

t.test(
  'explain HL7 v2 - each field has its place, down to repetition, component and subcomponent',
  async (t) => {
    const { from, value } = fieldsOf(explained(report));
    t.same(from.get('observations[0].value'), ['OBX[1]-5']);
    t.equal(value.get('observations[0].value'), '7.40');
    t.same(from.get('observations[1].code.codings[0].code'), ['OBX[2]-3.1']);
    t.same(from.get('patient.identifiers[0].value'), ['PID-3[1].1']);
    t.same(from.get('patient.identifiers[0].system'), ['PID-3[1].4.2', 'PID-3[1].4.3']);
    t.same(from.get('patient.identifiers[1].type'), ['PID-3[2].5']);
    t.same(from.get('patient.birthDate'), ['PID-7']);
    t.same(from.get('times.message.value'), ['MSH-7']);
    t.same(from.get('kind'), ['MSH-9.1'], 'what makes it another message stands for the kind');
    t.same(from.get('status'), ['OBR-25'], 'a status that OBX-11 says too is still that of OBR-25');
    t.same(from.get('class'), ['OBX[1]-8'], 'the flag gives the class');
    t.same(from.get('times.capturedAtUs'), [], 'what the gateway adds has no place in the message');
  },
);

t.test('explain HL7 v2 - what no rule reads, and what is read without effect, is listed', async (t) => {
  const { unused } = explained(report);
  t.same(unused, [
    { location: 'PID-1', value: '1', why: 'not-read' },
    { location: 'ZBX-1', value: '1', why: 'not-read' },
    { location: 'ZBX-2', value: 'abc', why: 'not-read' },
    { location: 'ZBX-3', value: 'Kit 7^L', why: 'not-read' },
  ]);
  const twice = er7(
    'MSH|^~\\&|LAB||||20261123||ORU^R01|M1|P|2.5.1',
    'OBR|1|P1|F1|K|R||||||||||||||||||||||^^^^^A',
    'OBX|1|ST|K||x',
  );
  t.same(
    explained(twice).unused,
    [{ location: 'OBR-5', value: 'R', why: 'no-effect' }],
    'the old place of the priority is read, and OBR-27 wins',
  );
});

const config = `
site: { zone: Europe/Berlin }
codes:
  lab-tests: { from: 99LAB, to: "http://loinc.org", map: { K: "2823-3" } }
  other: { from: 98LAB, to: "http://loinc.org", map: { NA: "2951-2" } }
units:
  convert: { k: { code: "2823-3", from: mmol/L, to: umol/L } }
classes:
  - { name: all-potassium, when: 'event.order.service.text == "Potassium"', class: urgent }
`;

t.test('explain config - a field names the rules of the config that had a hand in it', async (t) => {
  const { rules, value } = fieldsOf(explained(report, config));
  t.equal(value.get('observations[0].code.codings[1].code'), '2823-3');
  t.same(rules.get('observations[0].code.codings[1].code'), ['hl7v2/oru', 'codes.lab-tests']);
  t.same(rules.get('observations[0].converted.value'), ['hl7v2/oru', 'codes.lab-tests', 'units.convert.k']);
  t.same(rules.get('times.observed.offset'), ['hl7v2/oru'], 'OBR-7 has none of its own, but MSH-7 has');
  const local = Buffer.from(report.toString().replace('|20261123081500+0100|', '|20261123081500|'));
  const assumed = fieldsOf(explained(local, config));
  t.same(assumed.rules.get('times.observed.offset'), ['hl7v2/oru', 'site.zone'], 'nor has MSH-7 here');
  t.same(rules.get('class'), ['class:all-potassium']);
  t.same(rules.get('provenance.source'), ['capture']);
  t.notOk(
    [...rules.values()].some((own) => own.includes('codes.other')),
    'a table that did nothing is not named',
  );
});

t.test('explain HL7 v2 - a batch is explained message by message', async (t) => {
  const second = report.toString().replace('|M1|', '|M2|').replace('7.40', '3.10');
  const made = explained(Buffer.from(`FHS|^~\\&\rBHS|^~\\&\r${report}${second}BTS|2\rFTS|1\r`));
  t.equal(made.events.length, 2);
  const { from, value } = fieldsOf(made, 1);
  t.equal(value.get('observations[0].value'), '3.10');
  t.same(from.get('observations[0].value'), ['message 2: OBX[1]-5']);
  t.ok(made.unused.some(({ location }) => location === 'message 2: ZBX-2'));
  t.same(made.events[1]?.event.provenance?.remarks, []);
  const short = explained(Buffer.from(`BHS|^~\\&\r${report}${second}BTS|3\r`));
  for (const { event } of short.events)
    t.same(event.provenance?.remarks, ['BTS-1: it counts 3 messages, the batch has 2']);
});

t.test('explain HL7 v2 - a charset whose trail bytes look like delimiters is explained too', async (t) => {
  // Shift_JIS ソ is 0x83 0x5C, and 0x5C is the escape character.
  const raw = Buffer.concat([
    Buffer.from('MSH|^~\\&|A|B|C|D|20261123||ADT^A01|M1|P|2.5|||||JP|SHIFT_JIS\rPID|1||7||'),
    Buffer.from([0x83, 0x5c, 0x83, 0x5c]),
    Buffer.from('^HANAKO\rPV1|1|I\r'),
  ]);
  const { from, value } = fieldsOf(explained(raw));
  t.equal(value.get('patient.names[0].family'), 'ソソ');
  t.same(from.get('patient.names[0].family'), ['PID-5.1']);
  t.same(from.get('patient.names[0].given[0]'), ['PID-5.2']);
});

t.test('explain HL7 v2 - so is one whose header is too short to name its charset', (t) => {
  const raw = er7(
    'MSH|^~\\&|A|B|C|D|20261123||ADT^A01|M1|P|2.5',
    'PID|1||7||\u001b$B;3ED\u001b(B^\u001b$BB@O:\u001b(B||19500101|F',
  );
  const { from } = fieldsOf(explained(raw));
  t.same(from.get('patient.names[0].family'), ['PID-5.1']);
  t.same(from.get('patient.birthDate'), ['PID-7']);
  t.end();
});

t.test('explain config - a text says that the charset of its source read it', (t) => {
  const raw = Buffer.concat([
    er7('MSH|^~\\&|A|B|C|D|20261123||ADT^A01|M1|P|2.5'),
    Buffer.from('PID|1||7||'),
    Buffer.from([0xc8, 0xe2, 0xe0, 0xed]),
    Buffer.from('\r'),
  ]);
  const made = explained(raw, 'sources: { lab: { listener: mllp, charset: CP1251 } }');
  const { rules } = fieldsOf(made);
  t.ok(rules.get('patient.names[0].family')?.includes('sources.lab.charset'));
  t.end();
});

t.test('explain - what is quarantined says why, and nothing is claimed of its fields', async (t) => {
  const made = explained(er7('MSH|^~\\&|A|B|C|D|20261123||QBP^Q21|M1|P|2.5', 'QPD|x'));
  t.equal(made.reject?.code, 'query');
  t.same(made.events, []);
});

t.test('explain JSON - values and the names that are codes have their path', async (t) => {
  const payload = {
    device: 'mon-12',
    patient: { id: '4711' },
    heartRate: 72,
    firmware: 'x1',
    readings: [{ code: 'spo2', value: 97, comment: 'x' }],
  };
  const made = explained(Buffer.from(JSON.stringify(payload)), '{}', 'ward');
  const { from } = fieldsOf(made);
  t.same(from.get('patient.identifiers[0].value'), ['patient.id']);
  t.same(from.get('device.identifiers[0].value'), ['device']);
  const at = (code: string) =>
    [0, 1].find((n) => made.events[0]?.event.observations[n]?.code?.text.toLowerCase() === code) ?? -1;
  t.same(from.get(`observations[${at('spo2')}].value`), ['readings[0].value']);
  t.same(from.get(`observations[${at('spo2')}].code.text`), ['readings[0].code']);
  t.same(from.get(`observations[${at('heartrate')}].value`), ['heartRate']);
  t.equal(from.get(`observations[${at('heartrate')}].code.text`)?.[0], 'heartRate (name)');
  t.same(
    made.unused.map(({ location }) => location),
    ['firmware', 'readings[0].comment'],
  );
});

t.test('explain - paths of an event are those of its JSON form', async (t) => {
  const { events } = normalizeHl7v2(report, testContext());
  const leaves = leavesOf(events[0] ?? {});
  t.equal(leaves.get('observations[0].effective.value'), '2026-11-23T08:00:00+01:00');
  t.notOk(leaves.has('observations[0].subId'), 'a default says nothing');
  t.same(differences({ a: [{ b: '1' }], c: '' }, { a: [{ b: '2' }, { b: '3' }], d: undefined }), [
    'a[0].b',
    'a[1].b',
  ]);
});

const skip = corpusPresent() ? false : 'corpus not present (HILUM_CORPUS)';
const bytesMax = 2_000;

t.test(
  'explain corpus - what is said to be unread can go without a change of any event',
  { skip },
  async (t) => {
    let [messages, unread, explainedFields] = [0, 0, 0];
    for (const file of corpusFiles()) {
      if (isDocument(file)) continue;
      const [raw] = split(readFileSync(join(corpusFolder, file))).messages;
      if (raw === undefined || raw.length > bytesMax) continue;
      const made = explained(raw);
      if (made.events.length === 0) continue;
      messages += 1;
      t.equal(made.untried, 0, file);
      for (const { fields } of made.events)
        explainedFields += fields.filter(({ from }) => from.length > 0).length;
      const gone = new Set(
        made.unused.flatMap(({ location, why }) => (why === 'not-read' ? [location] : [])),
      );
      unread += gone.size;
      let without: Uint8Array = raw;
      // From the last place on, so that those before keep their place and their name.
      for (;;) {
        const found = placesOfHl7v2(without, testContext());
        const place = found?.places.findLast(({ location }) => gone.has(location));
        if (place === undefined) break;
        gone.delete(place.location);
        without = place.blanked();
      }
      const shown = (bytes: Uint8Array) =>
        normalizeHl7v2(bytes, testContext()).events.map((event) =>
          [...leavesOf(event)].filter(([path]) => !/^provenance\.(remarks|unread)\b/.test(path)),
        );
      t.same(shown(without), shown(raw), `${file}: unread fields are not missed`);
    }
    t.ok(messages > 100, `${messages} messages`);
    t.ok(unread > 100, `${unread} unread places`);
    t.ok(explainedFields > 5000, `${explainedFields} fields have a place`);
  },
);
