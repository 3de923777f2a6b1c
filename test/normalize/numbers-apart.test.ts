/** Numbers of one value that are several, and the unit of each. */
import t from 'tap';
import type { Observation } from '../../proto/gen/hilum/v1/event.ts';
import { only, remarksOf, resources, events as told } from './told.ts';

const row = (type: string, value: string, unit = 'mg') => [
  'OBR|1||F1|A^B^L',
  `OBX|1|${type}|A^B^L||${value}|${unit}|||||F`,
];

function of(type: string, value: string, unit?: string): Observation | undefined {
  return told('ORU^R01', ...row(type, value, unit))[0]?.observations[0];
}

t.test('sn - numbers that nothing parts are not one number', async (t) => {
  for (const sent of ['^5^^6', '^5^6', '5^4', '<5^4', '^100^^200', '^-^5', '^0.^5']) {
    t.match(of('SN', sent), { value: sent, structured: undefined }, sent);
    t.same(
      remarksOf(told('ORU^R01', ...row('SN', sent))),
      ['OBX[1]-5: numbers of an SN that nothing parts, kept as they were sent'],
      sent,
    );
  }
  for (const [sent, value] of [
    ['^120^/^80', '120/80'],
    ['>^^^5', '>5'],
    ['>^5^<^10', '>5<10'],
    ['^5^-^-3', '5--3'],
    ['^-5', '-5'],
  ] as const)
    t.match(of('SN', sent), { value, structured: {} }, sent);
});

t.test('nr - what is not two numbers stays as it was sent', async (t) => {
  for (const sent of ['5^-^10', '5-10', '<5^10']) {
    t.match(of('NR', sent), { value: sent, structured: undefined }, sent);
    t.same(
      remarksOf(told('ORU^R01', ...row('NR', sent))),
      ['OBX[1]-5: an NR of other than two numbers, kept as it was sent'],
      sent,
    );
  }
  t.match(of('NR', '-5^1.5E3'), { value: '-5-1.5E3', structured: { number1: '-5', number2: '1.5E3' } });
});

t.test('obx - each value has its own unit where OBX-6 repeats as OBX-5 does', async (t) => {
  const hba1c = row('NM', '6.2~44', '%~mmol/mol');
  t.match(of('NM', '6.2~44', '%~mmol/mol'), {
    value: '6.2 %',
    furtherValues: ['44 mmol/mol'],
    unit: '',
    unitCode: undefined,
  });
  t.same(remarksOf(told('ORU^R01', ...hba1c)), ['OBX[1]-6: several units, each in the text of its value']);
  t.match(only('Observation', resources('ORU^R01', ...hba1c)), [
    { component: [{ valueString: '6.2 %' }, { valueString: '44 mmol/mol' }] },
  ]);
  t.match(of('NM', '5~6', '10^9/L~10^3/uL'), { value: '5 10^9/L', furtherValues: ['6 10^3/uL'] });
  t.match(of('SN', '<^5~^6', 'mg~g'), { value: '<5 mg', furtherValues: ['6 g'], structured: undefined });
  t.match(of('CQ', '5^mg~6^g', ''), { value: '5 mg', furtherValues: ['6 g'], unit: '' });
});

t.test('obx - of several units for other than as many values the first is read, and told', async (t) => {
  for (const [sent, value] of [
    ['6.2', '6.2'],
    ['5~~6', '5'],
  ] as const) {
    t.match(of('NM', sent, '%~mmol/mol'), { value, unit: '%' });
    t.same(remarksOf(told('ORU^R01', ...row('NM', sent, '%~mmol/mol'))), [
      'OBX[1]-6: several units, of which the first is read',
    ]);
  }
  t.match(of('NM', '5~6', 'mg~mg'), { value: '5', furtherValues: ['6'], unit: 'mg' });
  t.match(of('NM', '5~6', 'mg~'), { value: '5', furtherValues: ['6'], unit: 'mg' });
  t.same(remarksOf(told('ORU^R01', ...row('NM', '5~6', 'mg~'))), []);
  t.match(of('CQ', '5^mg~6^mg', ''), { value: '5', furtherValues: ['6'], unit: 'mg' });
});

t.test('obx - a unit of OBX-6 beside another one of a CQ is told', async (t) => {
  t.match(of('CQ', '5^mg', 'g'), { value: '5', unit: 'g' });
  t.same(remarksOf(told('ORU^R01', ...row('CQ', '5^mg', 'g'))), [
    'OBX[1]-6: another unit than that in OBX-5, and stands',
  ]);
});

t.test('na, ma - what was not measured has its place, so that all behind it keeps its own', async (t) => {
  for (const [type, sent, samples] of [
    ['NA', '1~2~~4', { data: '1 2 E 4', count: 4, dimensions: 1 }],
    ['NA', '~2~', { data: 'E 2', count: 2, dimensions: 1 }],
    ['NA', '1^^3', { data: '1 E 3', count: 3, dimensions: 1 }],
    ['MA', '1^2~~5^6', { data: '1 2 E E 5 6', count: 3, dimensions: 2 }],
    ['MA', '1~3^4~^6', { data: '1 E 3 4 E 6', count: 3, dimensions: 2 }],
  ] as const)
    t.match(of(type, sent, 'uV'), { value: '', samples }, `${type} ${sent}`);
});

t.test('ce, cwe - a number keeps the comparator that stands in the place of its code', async (t) => {
  for (const [sent, value] of [
    ['>^4', '>4'],
    ['<^0.5^L', '<0.5'],
    ['>=^1^:^640', '>=1:640'],
  ] as const) {
    t.match(of('CE', sent, 'mmol/L'), { value, valueCode: undefined }, sent);
    t.same(remarksOf(told('ORU^R01', ...row('CE', sent))), [
      'OBX[1]-5: a number with a comparator in the place of a code',
    ]);
  }
  t.match(only('Observation', resources('ORU^R01', ...row('CE', '>^4'))), [{ valueString: '>4 mg' }]);
  t.match(of('CWE', '<^Below^L'), { value: 'Below', valueCode: { codings: [{ code: '<' }] } });
});
