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

t.test('fhir dosage - what is repeated begins and ends, it is no event; what is done once is one', (t) => {
  const of = (tq1: string, rxe = 'RXE||M^Metoprolol^L|25||mg') =>
    dosages(t, '2.5.1', 'ORC|NW|R1', rxe, tq1)[0];
  const bounds = (tq1: string) =>
    (of(tq1)?.timing as { repeat?: { boundsPeriod?: unknown } } | undefined)?.repeat?.boundsPeriod;
  t.same(bounds('TQ1|1|25^mg|BID|||D7|20261126'), { start: '2026-11-26', end: '2026-12-02' });
  t.same(bounds('TQ1|1||BID|||7^d|20261126090000'), {
    start: '2026-11-26T09:00:00+01:00',
    end: '2026-12-03T09:00:00+01:00',
  });
  t.same(bounds('TQ1|1||BID|||1^mo|20260131'), { start: '2026-01-31', end: '2026-02-28' });
  t.same(bounds('TQ1|1||C||||20261126'), { start: '2026-11-26' });
  t.same(bounds('TQ1|1||||||20261126'), { start: '2026-11-26' });
  t.match(of('TQ1|1||C||||20261126'), { timing: { event: undefined } });
  t.match(of('TQ1|1||ONCE||||20261126')?.timing, { event: ['2026-11-26'], repeat: undefined });
  t.match(of('TQ1|1||BID|||8^h|20261126'), {
    text: 'for 8 h',
    timing: { repeat: { boundsPeriod: { start: '2026-11-26' } } },
  });
  t.match(of('TQ1|1||BID|||D10|20261126|20261129')?.text, 'for 10 d');
  t.match(of('TQ1|1||BID||||20261126|20261120')?.text, 'until 2026-11-20');
  t.match(of('TQ1|1||BID|||INDEF')?.text, 'duration INDEF');
  t.match(of('TQ1|1||BID|||99999^a|20261126')?.text, 'for 99999 a');
  t.end();
});

t.test('fhir dosage - times of the day, how many times, how long each, and what has no place', (t) => {
  const of = (tq1: string) => dosages(t, '2.5.1', 'ORC|NW|R1', 'RXE||M^Metoprolol^L|25||mg', tq1)[0];
  t.match(of('TQ1|1||TID|0800~1400~2000||D7|20261126|||||||14')?.timing, {
    repeat: { timeOfDay: ['08:00:00', '14:00:00', '20:00:00'], count: 14 },
  });
  t.match(of('TQ1|1||QD&0800,2000')?.timing, {
    repeat: { timeOfDay: ['08:00:00', '20:00:00'] },
    code: { text: 'QD' },
  });
  const said = of('TQ1|1||Q4H^^x|2430|1^h|||||||S|30^min|often');
  t.match(said?.timing, { repeat: { duration: 30, durationUnit: 'min', timeOfDay: undefined } });
  for (const text of ['pattern Q4H x', 'at 2430', 'relative time 1 h', 'often times'])
    t.match(said?.text, text);
  t.match(of('TQ1|1||Q4H|||X5')?.timing, { repeat: { count: 5 } });
  t.end();
});

t.test('fhir dosage - what is to be taken as needed says so, and for what', (t) => {
  const of = (tq1: string) => dosages(t, '2.5.1', 'ORC|NW|R1', 'RXE||M^Morphine^L|2||mg', tq1)[0];
  for (const tq1 of [
    'TQ1|1||PRN',
    'TQ1|1||Q6H&PRN',
    'TQ1|1||Q6H PRN',
    'TQ1|1||Q6H||||||PRN',
    'TQ1|1||Q6H||||||R|PRN',
  ])
    t.match(of(tq1), { asNeededBoolean: true }, tq1);
  t.match(of('TQ1|1||Q6H&PRN')?.timing, { code: { text: 'Q6H PRN' } });
  t.match(of('TQ1|1||Q6H||||||R|PRN for pain'), {
    asNeededBoolean: undefined,
    asNeededCodeableConcept: { text: 'pain' },
    text: 'PRN for pain',
  });
  t.match(of('TQ1|1||Q6H||||||R|not PRN, hold if SBP < 90'), {
    asNeededBoolean: undefined,
    asNeededCodeableConcept: undefined,
  });
  t.end();
});

t.test('fhir dosage - how often an amount is given at a time is not the amount', (t) => {
  const rxe = (timing: string) => `RXE|${timing}|PRED^Prednisone 10 mg^L|10||mg`;
  const taper = dosages(t, '2.3', 'ORC|NW|R1', rxe('4^QD^D3~2^QD^D3~1^QD^D3'));
  t.match(taper, [
    { text: '4 × 10 mg', doseAndRate: undefined },
    { text: '2 × 10 mg', doseAndRate: undefined },
    { text: undefined, doseAndRate: [{ doseQuantity: { value: 10, unit: 'mg' } }] },
  ]);
  t.match(dosages(t, '2.5', 'ORC|NW|R1', 'TQ1|1|4|ONCE', rxe('')), [
    { text: '4 × 10 mg', doseAndRate: undefined },
  ]);
  const of = (asked: string) => dosages(t, '2.5', 'ORC|NW|R1', `TQ1|1|${asked}|QD`, rxe(''))[0];
  t.match(of('1'), { text: undefined, doseAndRate: [{ doseQuantity: { value: 10 } }] });
  t.match(of('10^mg'), { text: undefined, doseAndRate: [{ doseQuantity: { value: 10 } }] });
  t.match(of('40^mg'), { text: 'give amount 10 mg', doseAndRate: [{ doseQuantity: { value: 40 } }] });
  t.match(of('1^TAB'), { text: '1 TAB', doseAndRate: [{ doseQuantity: { value: 10, unit: 'mg' } }] });
  t.match(of('1/2^TAB'), { text: '1/2 TAB; give amount 10 mg', doseAndRate: undefined });
  t.end();
});

t.test('fhir dosage - there is one rate, and what else is said of it stands in words', (t) => {
  const rxe = seg('RXE', { 2: 'H^Heparin^L', 3: '1000', 5: '[iU]', 22: 'H1', 23: '20', 24: 'mL/h' });
  const [found] = dosages(t, '2.5', 'ORC|NW|R1', rxe);
  t.match(found, { text: '1000 [iU] per H1', doseAndRate: [{ rateQuantity: { value: 20, unit: 'mL/h' } }] });
  const [told = {}] = (found?.doseAndRate ?? []) as Found[];
  t.same(Object.keys(told), ['rateQuantity']);
  t.end();
});

t.test('fhir dosage - what is no plain number is a range, or stands in words', (t) => {
  const of = (fields: Record<number, string>) =>
    dosages(t, '2.5', 'ORC|NW|R1', seg('RXE', { 2: 'D^Drug^L', ...fields }))[0];
  t.match(of({ 3: '1000', 5: 'mg', 23: '5-50', 24: 'ug/kg/min' }), {
    doseAndRate: [{ doseQuantity: { value: 1000 }, rateRange: { low: { value: 5 }, high: { value: 50 } } }],
  });
  t.match(of({ 3: '1', 5: 'mg', 23: '<=20', 24: 'mL/h' }), {
    text: 'rate <=20 mL/h',
    doseAndRate: [{ doseQuantity: { value: 1 }, rateQuantity: undefined }],
  });
  t.match(of({ 3: '0,125', 5: 'mg' }), { text: '0,125 mg', doseAndRate: undefined });
  t.match(of({ 3: '1/2', 5: 'TAB' }), { text: '1/2 TAB' });
  t.match(of({ 3: '1', 4: '1,5', 5: 'mg' }), { text: '1-1,5 mg', doseAndRate: undefined });
  t.match(of({ 3: '1', 4: '2', 5: 'mg', 22: 'H4' }), { text: '1-2 mg per H4', doseAndRate: undefined });
  t.match(of({ 4: '2', 5: 'mg' }), { doseAndRate: [{ doseRange: { low: undefined, high: { value: 2 } } }] });
  t.match(of({ 3: '1-2', 5: 'mg' }), {
    doseAndRate: [{ doseRange: { low: { value: 1 }, high: { value: 2 } } }],
  });
  t.match(of({ 3: '5', 5: 'mg', 22: '24H' }), { text: '5 mg per 24H', doseAndRate: undefined });
  const rxa = seg('RXA', { 3: '202611260900', 5: 'D^Drug^L', 6: '1/2', 7: 'TAB', 20: 'CP' });
  t.match(resources(t, 'MedicationAdministration', 'RAS^O17', '2.5', 'ORC|RE|R1', rxa, 'RXR|PO^Oral'), [
    { dosage: undefined, note: [{ text: '1/2 TAB; Oral' }] },
  ]);
  t.end();
});

t.test('fhir dosage - routes to choose from, devices, and the limits of an infusion stand in words', (t) => {
  const rxe = 'RXE||M^Morphine PCA^L|1||mg||||||||||||||30&mg';
  const routes = ['RXR|PO^Oral||IVP^IV Pump', 'RXR|PR^Rectal'];
  const rxv = 'RXV|1|L|2|mg|||P|1|mg|||30|mg|||4^h&hour&UCUM|10^min';
  const [found] = dosages(t, '2.8.2', 'ORC|NW|R1', rxe, ...routes, rxv);
  t.match(found, { route: { text: 'Oral' } });
  for (const said of [
    'route Oral or Rectal',
    'device IV Pump',
    'bolus (L) 2 mg',
    'patient-controlled dose (P) 1 mg',
    'at most 30 mg in 4 h',
    'lockout 10 min',
    'total daily dose 30 mg',
  ])
    t.match(found?.text, said);
  t.end();
});
