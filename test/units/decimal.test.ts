import t from 'tap';
import {
  add,
  digitsOf,
  fromNumber,
  multiply,
  parseDecimal,
  writeDecimal,
} from '../../proto/units/decimal.ts';

t.test('decimal - what is written with its own decimals comes out as it went in', async (t) => {
  for (const text of ['7.40', '0', '0.00', '-3', '100', '0.0740', '12345678901234567890.5']) {
    const decimals = text.split('.')[1]?.length ?? 0;
    t.equal(writeDecimal(parsed(text), decimals), text);
  }
});

t.test('decimal - what is no plain decimal is none', async (t) => {
  for (const text of ['', '1,5', '1e3', '1:80', ' 7', '.5', '5.', '<1', '1+', '--1', '0x10', '٣', 'NaN']) {
    t.equal(parseDecimal(text), undefined, JSON.stringify(text));
  }
});

t.test('decimal - a half is rounded away from zero, on both sides', async (t) => {
  const rows: [string, number, string][] = [
    ['0.125', 2, '0.13'],
    ['-0.125', 2, '-0.13'],
    ['0.1249', 2, '0.12'],
    ['9.995', 2, '10.00'],
    ['-0.004', 2, '0.00'],
    ['2.5', 0, '3'],
  ];
  for (const [text, decimals, wanted] of rows) t.equal(writeDecimal(parsed(text), decimals), wanted, text);
});

t.test('decimal - sums and products are exact', async (t) => {
  t.equal(writeDecimal(add(parsed('0.1'), parsed('0.2')), 17), '0.30000000000000000');
  t.equal(writeDecimal(multiply(parsed('98.6'), parsed('0.1')), 2), '9.86');
  t.equal(writeDecimal(add(multiply(parsed('37.0'), fromNumber(1.8, 12)), fromNumber(32, 12)), 1), '98.6');
});

t.test('decimal - a number keeps so many digits and no zeros behind them', async (t) => {
  t.same(fromNumber(0.010000000000000002, 12), { coefficient: 1n, scale: 2 });
  t.same(fromNumber(-17.777777777777743, 12), { coefficient: -177777777778n, scale: 10 });
  t.same(fromNumber(1000, 12), { coefficient: 1n, scale: -3 });
  t.same(fromNumber(0, 12), { coefficient: 0n, scale: 0 });
  t.equal(writeDecimal(fromNumber(1000, 12), 0), '1000');
});

t.test('decimal - leading zeros do not count as digits', async (t) => {
  t.equal(digitsOf(parsed('0.0740')), 3);
  t.equal(digitsOf(parsed('100')), 3);
});

function parsed(text: string) {
  const found = parseDecimal(text);
  if (found === undefined) throw new Error(`${text} is no decimal`);
  return found;
}
