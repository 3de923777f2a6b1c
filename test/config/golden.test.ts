/** Golden files: subset, literal values, lists by their length, quarantine. */
import t from 'tap';
import { goldenOf, mismatches } from '../../control-plane/ctl/golden.ts';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { er7, testContext } from '../normalize/context.ts';

const made = goldenOf(
  normalizeHl7v2(
    er7(
      'MSH|^~\\&|LAB|HOSP|EHR|HOSP|20260301081500+0100||ORU^R01|M1|P|2.5.1',
      'PID|1||4711^^^HOSP^MR',
      'OBR|1||F1|K^Potassium',
      'OBX|1|NM|K^Potassium||7.40|mmol/L||HH|||F',
    ),
    testContext(),
  ),
);
const expect = (golden: unknown) =>
  mismatches(golden, made).map(({ path, expected, found }) => `${path}: ${expected}, ${found}`);

t.test('golden - what it leaves out is not compared, what it says is compared as it stands', async (t) => {
  t.same(expect([{}]), []);
  t.same(expect([{ observations: [{ value: '7.40', unit: 'mmol/L' }] }]), []);
  t.same(expect([{ observations: [{ value: '7.4' }] }]), ['events[0].observations[0].value: "7.4", "7.40"']);
  t.same(expect([{ observations: [{ value: 7.4 }] }]), ['events[0].observations[0].value: 7.4, "7.40"']);
  t.same(expect([{ patient: { birthDate: '2000-01-01' } }]), [
    'events[0].patient.birthDate: "2000-01-01", nothing',
  ]);
});

t.test('golden - null says that there must be none', async (t) => {
  t.same(expect([{ alarm: null, observations: [{ converted: null }] }]), []);
  t.match(expect([{ patient: null }]), [/^events\[0\]\.patient: nothing, \{/]);
});

t.test('golden - a list has as many entries as it shows', async (t) => {
  t.same(expect([]), ['events: 0 entries, 1 entry']);
  t.same(expect([{}, {}]), ['events: 2 entries, 1 entry']);
  t.same(expect([{ observations: [{ value: '7.40' }, {}] }]), ['events[0].observations: 2 entries, 1 entry']);
});

t.test('golden - quarantine is expected by its code, and never otherwise', async (t) => {
  const refused = goldenOf(
    normalizeHl7v2(er7('MSH|^~\\&|A|B|C|D|20260301||QBP^Q21|M1|P|2.5'), testContext()),
  );
  t.same(mismatches({ quarantine: 'query', events: [] }, refused), []);
  t.same(mismatches([], refused), [{ path: 'quarantine', expected: 'nothing', found: '"query"' }]);
  t.same(expect({ quarantine: 'query', events: [{}] }), ['quarantine: "query", nothing']);
  t.throws(() => expect({ event: [{}] }), /there is no "event"/);
  t.throws(() => expect('x'), /a golden is a list of events/);
});

t.test('golden - nothing in it depends on the moment, the gateway or the build', async (t) => {
  const text = JSON.stringify(made);
  for (const name of ['capturedAtUs', 'recordHash', 'mappingVersion', '"position"', '"gateway"']) {
    t.notOk(text.includes(name), name);
  }
  t.same(expect(made), [], 'it expects itself');
});
