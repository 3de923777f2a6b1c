/** Critical results without a flag: ranges and words of the config, compared exactly or not at all. */
import t from 'tap';
import { meaningOf, reclassifies, understand } from '../../gateway/meaning.ts';
import { checkConfig } from '../../proto/config/check.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { er7 } from './context.ts';

const config = `
units:
  convert:
    glucose: { code: "2345-7", from: mg/dL, to: mmol/L, molecularWeight: 180.156 }
critical:
  potassium: { code: "2823-3", unit: mmol/L, below: "2.8", above: "6.0" }
  glucose: { code: "2345-7", unit: mmol/L, above: "25" }
  bilirubin-newborn: { code: "1975-2", unit: mg/dL, above: "15", age: { to: 28d } }
  hemoglobin-women: { code: "718-7", unit: g/dL, below: "7.0", sex: female, age: { from: 18y } }
  inr: { code: "6301-6", unit: "1", above: "5" }
  gram: { code: "600-7", contains: ["Gram negative rods"] }
  malaria: { words: [plasmodium] }
`;
const checked = checkConfig(config);
if (checked.problems !== undefined) throw new Error(JSON.stringify(checked.problems));
const meaning = meaningOf(checked.config, 0);

interface Sent {
  code?: string;
  value: string;
  unit?: string;
  type?: string;
  status?: string;
  flag?: string;
  patient?: string;
  role?: string;
}

function result({
  code = '2823-3',
  value,
  unit = 'mmol/L',
  type = 'NM',
  status = 'F',
  flag = '',
  patient = '19800101|F',
  role = 'P',
}: Sent) {
  const raw = er7(
    'MSH|^~\\&|LAB||||20260301081500+0100||ORU^R01|M1|P|2.5.1',
    `PID|1||4711||X||${patient}`,
    'OBR|1||F1|X|||20260301080000+0100',
    `OBX|1|${type}|${code}^^LN||${value}|${unit}||${flag}|||${status}`,
    `SPM|1|||SER|||||||${role}`,
  );
  const made = understand(
    JournalRecord.fromPartial({ source: 'lab', protocol: 'mllp', raw, capturedAtUs: 1n }),
    meaning,
  );
  const [event] = made.events;
  return { event, observation: event?.observations[0], lane: made.lane, counts: made.critical };
}

const markOf = (sent: Sent) => {
  const { observation, counts } = result(sent);
  if (observation?.critical === undefined) return counts?.map(({ outcome }) => outcome).join() ?? 'no';
  return `${observation.critical.rule}: ${observation.critical.why}`;
};

t.test('critical range - a value outside is marked, is stat, and keeps what was sent', async (t) => {
  const { event, observation, lane, counts } = result({ value: '6.1', flag: 'H' });
  t.match(observation?.critical, { rule: 'potassium', why: 'above 6.0 mmol/L' });
  t.equal(observation?.interpretation, 'H', 'the flag is as sent');
  t.equal(observation?.value, '6.1');
  t.equal(lane, 'stat');
  t.ok(event?.provenance?.rules.includes('critical/potassium'));
  t.ok(event?.provenance?.rules.includes('class:default:critical-rule'));
  t.same(counts, [{ rule: 'potassium', outcome: 'marked' }]);
  t.equal(result({ value: '4.0' }).lane, 'routine');
  t.ok(reclassifies(meaning.config), 'capture cannot know it, so records keep their order');
});

t.test('critical range - limits are compared as decimals, and are not critical themselves', async (t) => {
  t.equal(markOf({ value: '6.0' }), 'no');
  t.equal(markOf({ value: '6.00' }), 'no');
  t.equal(markOf({ value: '6.0000000000000000001' }), 'potassium: above 6.0 mmol/L');
  t.equal(markOf({ value: '2.8' }), 'no');
  t.equal(markOf({ value: '2.79' }), 'potassium: below 2.8 mmol/L');
  t.equal(markOf({ value: '-1' }), 'potassium: below 2.8 mmol/L');
});

t.test('critical range - a comparator counts where it leaves no doubt', async (t) => {
  t.equal(markOf({ value: '>7' }), 'potassium: above 6.0 mmol/L');
  t.equal(markOf({ value: '>6.0' }), 'potassium: above 6.0 mmol/L', 'more than the limit is above it');
  t.equal(markOf({ value: '>=6.0' }), 'value', 'it may be the limit itself');
  t.equal(markOf({ value: '>5' }), 'value');
  t.equal(markOf({ value: '<2.0' }), 'potassium: below 2.8 mmol/L');
  t.equal(markOf({ value: '<2.8' }), 'potassium: below 2.8 mmol/L');
  t.equal(markOf({ value: '<=2.8' }), 'value');
  t.equal(markOf({ value: '<5' }), 'value');
  t.equal(markOf({ value: '>^7', type: 'SN' }), 'potassium: above 6.0 mmol/L', 'SN too');
  t.equal(markOf({ code: '2345-7', value: '<30' }), 'value', 'it may be above 25');
  t.equal(markOf({ code: '2345-7', value: '<25' }), 'no', 'it cannot be above 25');
});

t.test('critical range - another unit is not compared and is counted; the same unit is one', async (t) => {
  t.equal(markOf({ value: '7', unit: 'mg/dL' }), 'unit');
  t.equal(markOf({ value: '7', unit: '' }), 'unit', 'no unit is not the unit of the rule');
  t.equal(markOf({ value: '7', unit: 'MMOL/L' }), 'potassium: above 6.0 mmol/L', 'a known spelling');
  t.equal(markOf({ value: '7', unit: 'mol/m3' }), 'potassium: above 6.0 mmol/L', 'equal in UCUM');
  t.equal(
    markOf({ code: '2345-7', value: '540', unit: 'mg/dL' }),
    'glucose: above 25 mmol/L',
    'an approved conversion',
  );
  t.equal(markOf({ code: '6301-6', value: '5.4', unit: '' }), 'inr: above 5');
});

t.test(
  'critical range - a decimal comma is one; before three digits it is undecided, and told',
  async (t) => {
    for (const type of ['NM', 'ST', 'SN']) {
      const sent = (value: string) => markOf({ type, value: type === 'SN' ? `^${value}` : value });
      t.equal(sent('6,9'), 'potassium: above 6.0 mmol/L', type);
      t.equal(sent('2,75'), 'potassium: below 2.8 mmol/L', type);
      t.equal(sent('4,0'), 'no', type);
    }
    t.equal(markOf({ value: '>6,9' }), 'potassium: above 6.0 mmol/L');
    t.equal(markOf({ value: '6,0' }), 'no', 'the limit itself');
    t.equal(markOf({ value: '6,0001' }), 'potassium: above 6.0 mmol/L');
    t.equal(markOf({ value: '0,123' }), 'potassium: below 2.8 mmol/L', 'nobody groups behind a zero');
    t.equal(markOf({ value: '1234,567' }), 'potassium: above 6.0 mmol/L');
    t.equal(markOf({ value: '６．９' }), 'potassium: above 6.0 mmol/L', 'full-width');
    t.equal(markOf({ value: '1,234' }), 'value');
    t.equal(markOf({ value: '1.234,5' }), 'value');
    t.equal(markOf({ value: '1,2,3' }), 'value');
    const { event, observation } = result({ value: '1,234' });
    t.equal(observation?.value, '1,234');
    t.same(event?.provenance?.remarks, [
      'OBX[1]-5: a comma before three digits, decimals or thousands: no rule for critical results was applied',
    ]);
    t.same(result({ value: '6,9' }).observation?.value, '6,9', 'the value stays as it was sent');
    t.equal(result({ value: '6,9' }).lane, 'stat');
  },
);

t.test('critical range - what is no number is counted, what is withdrawn is not critical', async (t) => {
  t.equal(markOf({ value: 'hemolyzed', type: 'ST' }), 'value');
  t.equal(markOf({ value: '1:80', type: 'ST' }), 'value');
  t.equal(markOf({ value: '' }), 'no');
  t.equal(markOf({ value: '7', status: 'X' }), 'no');
  t.equal(markOf({ value: '7', status: 'W' }), 'no');
  t.equal(markOf({ value: '7', status: 'C' }), 'potassium: above 6.0 mmol/L');
});

t.test('critical range - age is that of the day of the observation; an unknown one is counted', async (t) => {
  const bilirubin = { code: '1975-2', value: '16', unit: 'mg/dL' };
  t.equal(markOf({ ...bilirubin, patient: '20260220|M' }), 'bilirubin-newborn: above 15 mg/dL');
  t.equal(markOf({ ...bilirubin, patient: '20260201|M' }), 'no', '28 days old');
  t.equal(
    markOf({ ...bilirubin, patient: '20260202|M' }),
    'bilirubin-newborn: above 15 mg/dL',
    '27 days old',
  );
  t.equal(markOf({ ...bilirubin, patient: '|M' }), 'age');
  t.equal(markOf({ ...bilirubin, patient: '2026|M' }), 'age', 'born this year may be either');
  t.equal(markOf({ ...bilirubin, patient: '1980|M' }), 'no');
  const hemoglobin = { code: '718-7', value: '6.5', unit: 'g/dL' };
  t.equal(markOf(hemoglobin), 'hemoglobin-women: below 7.0 g/dL');
  t.equal(markOf({ ...hemoglobin, patient: '20080302|F' }), 'no', 'a day before 18');
  t.equal(markOf({ ...hemoglobin, patient: '20080301|F' }), 'hemoglobin-women: below 7.0 g/dL');
  t.equal(markOf({ ...hemoglobin, patient: '19800101|M' }), 'no');
  t.equal(markOf({ ...hemoglobin, patient: '19800101|' }), 'sex');
  t.equal(markOf({ ...hemoglobin, patient: '19800101|', value: '9' }), 'no', 'what is in range needs no sex');
});

t.test('critical words - in any case, whole where it is asked, for one code or for all', async (t) => {
  const gram = { code: '600-7', unit: '', type: 'ST' };
  t.equal(markOf({ ...gram, value: 'Many GRAM NEGATIVE RODS seen' }), 'gram: says "Gram negative rods"');
  t.equal(markOf({ ...gram, value: 'No growth' }), 'no');
  t.equal(markOf({ code: '1-8', unit: '', type: 'ST', value: 'Gram negative rods' }), 'no', 'another code');
  t.equal(
    markOf({ code: '1-8', unit: '', type: 'CE', value: 'P1^Plasmodium, falciparum^L' }),
    'malaria: says "plasmodium"',
  );
  t.equal(markOf({ code: '1-8', unit: '', type: 'ST', value: 'plasmodiums' }), 'no', 'not the whole word');
  t.equal(markOf({ code: '1-8', unit: '', type: 'ST', value: 'éplasmodium' }), 'no', 'nor after a letter');
});

t.test(
  'critical check - a rule that could say nothing, or everything, is refused at its place',
  async (t) => {
    const problemOf = (rule: string) => {
      const { problems } = checkConfig(`critical:\n  x: ${rule}\n`);
      return problems?.map(({ line, path, message }) => `${line} ${path}: ${message}`) ?? [];
    };
    t.same(problemOf('{ code: "1", unit: mmol/L, above: "6" }'), []);
    t.match(problemOf('{ code: "1" }'), ['2 critical.x: nothing makes a result critical']);
    t.match(problemOf('{ unit: mmol/L, above: "6" }'), ['2 critical.x: limits need a code']);
    t.match(problemOf('{ code: "1", above: "6" }'), ['2 critical.x: limits need a unit']);
    t.match(problemOf('{ code: "1", unit: mmol/L, below: "6.1", above: "6" }'), [
      /critical\.x\.below: every value/,
    ]);
    t.match(problemOf('{ code: "1", unit: mmol/L, above: "6", words: [x] }'), [/limits or words, not both/]);
    t.match(problemOf('{ code: "1", unit: mmol/L, above: 6 }'), [/critical\.x\.above: expected text/]);
    t.match(problemOf('{ code: "1", unit: mmol/L, above: "6,5" }'), [/"6,5" is not a decimal number/]);
    t.match(problemOf('{ code: "1", unit: mmol/L, above: "6", age: { from: 18 y } }'), [
      /"18 y" is not an age/,
    ]);
  },
);

t.test(
  'critical range - a control, a calibrator and a proficiency sample are nobody’s results',
  async (t) => {
    for (const role of [...[...'BCEFOQV'].map((one) => `${one}^^HL70369`), 'Q']) {
      const { lane, counts } = result({ value: '9.1', flag: 'HH', role });
      t.same([lane, counts, markOf({ value: '9.1', role })], ['routine', undefined, 'no'], role);
    }
    // A bare letter may be of another kind: blood, capillary.
    for (const role of ['', 'P', 'G', 'L', 'U', 'B', 'C^Capillary', 'Q^Quick^99LAB'])
      t.equal(markOf({ value: '9.1', role }), 'potassium: above 6.0 mmol/L', role);
  },
);
