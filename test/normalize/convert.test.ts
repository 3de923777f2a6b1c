import t from 'tap';
import { convertQuantity } from '../../gateway/normalize/convert.ts';
import { type Relation, relate } from '../../proto/units/ucum.ts';

const glucose = 180.156;

t.test('conversion - the last digit that was sent still shows, and no more', async (t) => {
  const rows: [string, string, string, number | undefined, string][] = [
    ['7.40', 'mg/dL', 'g/L', undefined, '0.0740'],
    ['7.4', 'g/L', 'mg/L', undefined, '7400'],
    ['100', 'mg/dL', 'mmol/L', glucose, '5.55'],
    ['99', 'mg/dL', 'mmol/L', glucose, '5.50'],
    ['5.6', 'mmol/L', 'mg/dL', glucose, '101'],
    ['37.0', 'Cel', '[degF]', undefined, '98.6'],
    ['98.6', '[degF]', 'Cel', undefined, '37.00'],
    ['-40.0', 'Cel', '[degF]', undefined, '-40.0'],
    ['0', 'mg/dL', 'g/L', undefined, '0.00'],
    ['12.50', '10*3/uL', '10*9/L', undefined, '12.50'],
    ['+5', 'mg/dL', 'g/L', undefined, '0.05'],
    ['120', 'mm[Hg]', 'kPa', undefined, '16.0'],
  ];
  for (const [value, from, to, weight, wanted] of rows) {
    t.equal(convert(value, '', from, to, weight)?.value, wanted, `${value} ${from}`);
  }
});

t.test('conversion - a comparator stays with its number', async (t) => {
  t.same(convert('<0.01', '', 'mg/dL', 'g/L'), { value: '<0.0001', referenceRange: '' });
  t.same(convert('>= 10', '', 'mg/dL', 'mmol/L', glucose), { value: '>= 0.56', referenceRange: '' });
  t.same(convert('≤5', '', 'mg/dL', 'g/L'), { value: '≤0.05', referenceRange: '' });
});

t.test('conversion - what is no plain number is never converted', async (t) => {
  const values = [
    '1:80',
    '1,5',
    '1e3',
    '2-4',
    '5^7',
    'negative',
    '',
    '<',
    '1+',
    '5 mg',
    '<>5',
    '> 1:40',
    '0x1F',
    '.5',
  ];
  for (const value of [...values, '12345678901', '1'.repeat(200)]) {
    t.equal(convert(value, '', 'mg/dL', 'g/L'), undefined, value.slice(0, 20));
  }
});

t.test('conversion - the range is converted with the value, or neither is', async (t) => {
  t.same(convert('100', '70-99', 'mg/dL', 'mmol/L', glucose), { value: '5.55', referenceRange: '3.89-5.50' });
  t.same(convert('100', '70 - 99 mg/dL', 'mg/dL', 'g/L'), { value: '1.00', referenceRange: '0.70 - 0.99' });
  t.same(convert('7.4', '<5.00', 'mg/dL', 'g/L'), { value: '0.0740', referenceRange: '<0.0500' });
  t.same(convert('-1.0', '-2.0-2.0', 'mmol/L', 'umol/L'), { value: '-1000', referenceRange: '-2000-2000' });
  for (const range of ['negative', '70-99 mmol/L', '3,5-5,1', '1:40', '70-', 'see note 5']) {
    t.equal(convert('100', range, 'mg/dL', 'g/L'), undefined, range);
  }
});

t.test('conversion - two different numbers never become one, and keep their order', async (t) => {
  const relation = relation_('mg/dL', 'mmol/L', 17.3);
  for (let tenth = 9_900; tenth < 10_100; tenth++) {
    const [value, limit] = [`${tenth / 10}`, (tenth / 10 - 0.1).toFixed(1)];
    const found = convertQuantity({ value, referenceRange: `1.0-${limit}` }, '', relation);
    const above = Number(found?.value) > Number(found?.referenceRange.split('-')[1]);
    if (!above) t.fail(`${value} over ${limit}: ${found?.value} over ${found?.referenceRange}`);
  }
  t.pass('200 values just above their limit');
});

function convert(value: string, referenceRange: string, from: string, to: string, weight?: number) {
  return convertQuantity({ value, referenceRange }, from, relation_(from, to, weight));
}

function relation_(from: string, to: string, weight?: number): Relation {
  const found = relate(from, to, weight);
  if ('problem' in found) throw new Error(found.problem);
  return found;
}
