/** How a drug is to be taken, in FHIR: what a reader would give too often, too long or too much if it were lost. */
import t, { type Test } from 'tap';
import { toBundle } from '../../proto/fhir/bundle.ts';
import { fhirText } from '../../proto/fhir/json.ts';
import { er7 } from '../normalize/context.ts';
import { seg } from '../normalize/samples.ts';
import { eventsOf } from './events.ts';
import { problemsOf } from './validator.ts';

type Found = Record<string, unknown>;

/** The resources of one type, of every event; each bundle is valid. */
function resources(test: Test, name: string, type: string, version: string, ...segments: string[]): Found[] {
  const head = `MSH|^~\\&|A|B|C|D|20261126081500+0100||${type}|1|P|${version}`;
  return eventsOf('dosage', er7(head, 'PID|1||7^^^H^MR', ...segments), 'mllp').flatMap(({ event }) => {
    const text = fhirText(toBundle(event));
    test.same(problemsOf(text), []);
    const { entry } = JSON.parse(text) as { entry: { resource: Found }[] };
    return entry.map(({ resource }) => resource).filter(({ resourceType }) => resourceType === name);
  });
}

/** The dosages of the last prescription of an RDE. */
function dosages(test: Test, version: string, ...segments: string[]): Found[] {
  const [found] = resources(test, 'MedicationRequest', 'RDE^O11', version, ...segments).slice(-1);
  return (found?.dosageInstruction ?? []) as Found[];
}

t.test('fhir dosage - what RXE-1 leaves out is said by TQ1, and what TQ1 leaves out by RXE-1', (t) => {
  const tq1 = 'TQ1|1||QD^Daily^HL70335||||20261126||R|INR > 3 hold|evening|||14';
  const rxe = (timing: string) => `RXE|${timing}|W^Warfarin^L|5||mg`;
  const daily = { code: { text: 'Daily', coding: [{ code: 'QD' }] } };
  t.match(dosages(t, '2.5', 'ORC|NW|R1', rxe('^^^20261126^^R'), tq1), [
    { text: 'evening; INR > 3 hold', timing: daily },
  ]);
  t.match(dosages(t, '2.5', 'ORC|NW|R1', rxe('^QD'), 'TQ1|1||||||||R||evening'), [
    { text: 'evening', timing: { code: { text: 'QD' } } },
  ]);
  t.end();
});

t.test(
  'fhir dosage - where both say it TQ1 stands from 2.5 on, else RXE-1; the other is told in words',
  (t) => {
    const rxe = 'RXE|1^Q6H PRN^D10^20261126^^R^^pain|A^Amox^L|1|2|CAP';
    const tq1 = 'TQ1|1|1|Q6H||||20261126||R|PRN pain|max 8 per day';
    const [since] = dosages(t, '2.5.1', 'ORC|NW|R1', rxe, tq1);
    t.match(since, { timing: { code: { text: 'Q6H' } } });
    for (const said of ['max 8 per day', 'PRN pain', 'Q6H PRN', '; pain']) t.match(since?.text, said);
    // Before, ORC-7 is what was asked for, and RXE-1 what the pharmacy made of it.
    const asked = 'ORC|NW|R1|||||^Q6H^D10^^^R';
    t.match(dosages(t, '2.3', asked, 'RXE|^^^202611260900^^R|A^Amox^L|1||CAP'), [
      { timing: { code: { text: 'Q6H' } } },
    ]);
    t.match(dosages(t, '2.3', asked, 'RXE|^Q8H^D10^^^R|A^Amox^L|1||CAP'), [
      { text: 'also sent: Q6H', timing: { code: { text: 'Q8H' } } },
    ]);
    t.end();
  },
);

t.test('fhir dosage - steps of a taper are joined each with its own, words of one hold for all', (t) => {
  const steps = ['TQ1|1|40^mg|QD|||D3||||||S', 'TQ1|2|20^mg|QD|||D3'];
  const found = dosages(t, '2.5', 'ORC|NW|R1', 'RXE|^^^20261126^^R^^with food|P^Pred^L|40||mg', ...steps);
  t.match(found, [
    { sequence: 1, text: 'with food', doseAndRate: [{ doseQuantity: { value: 40 } }] },
    { sequence: 2, text: 'with food', doseAndRate: [{ doseQuantity: { value: 20 } }] },
  ]);
  t.equal(found.length, 2);
  t.end();
});

t.test('fhir dosage - what the old field and the segment for it say alike is one dosage', (t) => {
  const given = (...tq1: string[]) =>
    resources(
      t,
      'MedicationRequest',
      'RGV^O15',
      '2.5.1',
      'ORC|RE|R1',
      seg('RXG', { 1: '1', 3: '1^Q8H^^202611260800', 4: 'G^Gent^L', 5: '80', 7: 'mg' }),
      ...tq1,
      'RXR|IV',
    )[0]?.dosageInstruction as Found[];
  t.equal(given('TQ1|1||Q8H||||20261126080000||||trough').length, 1);
  t.match(given('TQ1|1||Q8H||||20261126080000||||trough'), [{ text: 'trough' }]);
  t.equal(given('TQ1|1||Q12H||||20261126080000').length, 2);
  t.equal(given('TQ1|1||Q8H||||20261126160000').length, 2);
  t.equal(given('TQ1|1|2|Q8H||||20261126080000').length, 2);
  t.end();
});
