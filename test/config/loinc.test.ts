/** A LOINC code with a wrong check digit is none: it is told before a config is pushed, and no entry is made with it. */
import t from 'tap';
import { entryOf } from '../../control-plane/ctl/code-entries.ts';
import { checkConfig } from '../../proto/config/check.ts';
import { rightLoinc } from '../../proto/config/loinc.ts';
import { warningsOf } from '../../proto/config/warnings.ts';
import { CodeRow } from '../../proto/gen/hilum/v1/admin.ts';

t.test('loinc - the check digit of a code follows from its number', async (t) => {
  for (const right of ['2345-7', '2823-3', '718-7', '4548-4', '33762-6', '8867-4', '89579-7'])
    t.equal(rightLoinc(right), undefined, right);
  t.equal(rightLoinc('2823-4'), '2823-3', 'a wrong digit');
  t.equal(rightLoinc('3245-7'), '3245-8', 'two figures that were swapped');
  for (const other of ['GLU', 'LA6576-8', '2345', '2345-', '12345678-1', ''])
    t.equal(rightLoinc(other), undefined, `nothing is said of "${other}"`);
});

t.test('loinc - a config is told each place, and is not refused', async (t) => {
  const { config, problems } = checkConfig(`
codes:
  lab: { from: L, to: http://loinc.org, map: { K: 2823-4, NA: { code: 2951-2 }, GLU: { code: 2345-8, display: Glucose } } }
  own: { from: L2, to: 'urn:x', map: { K: 2823-4 } }
critical:
  k: { code: 2823-4, unit: mmol/L, above: "6.0" }
  na: { code: 2951-2, unit: mmol/L, above: "160" }
units: { convert: { glu: { code: 2345-8, from: mg/dL, to: mmol/L, molecularWeight: 180.16 } } }
`);
  t.same(problems, undefined);
  if (config === undefined) return;
  t.same(
    warningsOf(config).filter((one) => one.includes('LOINC')),
    [
      'codes.lab.map.K: 2823-4 is no LOINC code; with the number before the dash it would be 2823-3.',
      'codes.lab.map.GLU: 2345-8 is no LOINC code; with the number before the dash it would be 2345-7.',
      'units.convert.glu.code: 2345-8 is no LOINC code; with the number before the dash it would be 2345-7.',
      'critical.k.code: 2823-4 is no LOINC code; with the number before the dash it would be 2823-3.',
    ],
  );
});

t.test('loinc - an entry of a list is named by its number', async (t) => {
  const { config } = checkConfig(`
sources: { wards: { listener: mqtt, payloads: [one] } }
payloads:
  one: { device: $.d, observations: [{ code: { system: http://loinc.org, code: 8867-5 }, value: $.hr }] }
`);
  t.same(config === undefined ? [] : warningsOf(config), [
    'payloads.one.observations[0].code[0].code: 8867-5 is no LOINC code; with the number before the dash it would be 8867-4.',
  ]);
});

t.test('loinc - no entry is made with a code or a unit that there is not', async (t) => {
  const row = CodeRow.fromPartial({ source: 'lab', field: 'observation', system: 'L', code: 'GLU' });
  t.throws(() => entryOf(row, { to: '2345-8', display: '' }), {
    code: 'no-loinc',
    message: '2345-8 is no LOINC code: its check digit is wrong.',
    hint: 'With the number before the dash it would be 2345-7; look the code up before you use it.',
  });
  t.match(entryOf(row, { to: '2345-7', display: '' }), { entry: { codes: {} } });
  t.match(
    entryOf(row, { to: '2345-8', system: 'urn:x', display: '' }),
    { entry: { codes: {} } },
    'of another system nothing is known',
  );
  const unit = CodeRow.fromPartial({ source: 'lab', field: 'unit', code: 'flurbs' });
  t.throws(() => entryOf(unit, { to: 'mmol/Lx', display: '' }), { code: 'no-ucum' });
  t.match(entryOf(unit, { to: 'mmol/L', display: '' }).entry, { units: { map: { flurbs: 'mmol/L' } } });
});

t.test('loinc - what has not the form of a code, and a system that is nearly it, are told', async (t) => {
  const { config, problems } = checkConfig(`
codes:
  lab: { from: L, to: http://loinc.org, map: { NA: "2951", X: sodium, Y: "2951 -2", K: 2823-3, A: LA6576-8, P: LP7479-4 } }
  two: { from: L2, to: http://lionc.org, map: { K: 2823-3 } }
  three: { from: L3, to: https://loinc.org/, map: { K: 2823-3 } }
  own: { from: L4, to: http://lab.example.org, map: { K: X } }
destinations: { ehr: { type: mllp, address: 127.0.0.1:2576 } }
routes: { r: { when: 'event.kind == "order"', to: [ehr, ehr] } }
`);
  t.same(problems, undefined);
  t.same(config === undefined ? [] : warningsOf(config), [
    'codes.lab.map.NA: 2951 is no LOINC code: one is a number, a dash and its check digit, as 2345-7.',
    'codes.lab.map.X: sodium is no LOINC code: one is a number, a dash and its check digit, as 2345-7.',
    'codes.lab.map.Y: 2951 -2 is no LOINC code: one is a number, a dash and its check digit, as 2345-7.',
    'codes.two.to: http://lionc.org is not the system of LOINC, which is http://loinc.org.',
    'codes.three.to: https://loinc.org/ is not the system of LOINC, which is http://loinc.org.',
    'routes.r.to: "ehr" stands there twice.',
  ]);
});
