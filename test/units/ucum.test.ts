/**
 * The UCUM functional tests (Grahame Grieve and others; ucum-java in the corpus) through our door to the
 * library: every case of every section. What differs is listed by id, with the reason.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { add, type Decimal, fromNumber, multiply, parseDecimal } from '../../proto/units/decimal.ts';
import { isUcum, relate, suggestUcum } from '../../proto/units/ucum.ts';
import { projectRoot } from '../kit/paths.ts';

const corpus = process.env.HILUM_CORPUS ?? join(projectRoot, '../shared/corpus');
const file = join(corpus, 'terminology/ucum-java/UcumFunctionalTests.xml');
const skip = existsSync(file) ? false : 'corpus not present (HILUM_CORPUS)';

/** The library writes names its own way ("meter" for "(meter)", powers as HTML), and they are shown nowhere here. */
const displayNames = [101, 102, 103, 104, 105, 106, 107, 108, 109].map((n) => `2-${n}`);

t.test('ucum - every validation case is decided as the functional tests say', { skip }, async (t) => {
  const cases = casesOf('validation');
  t.equal(cases.length, 529);
  for (const { id, unit = '', valid } of cases) t.equal(String(isUcum(unit)), valid, `${id} ${unit}`);
});

t.test(
  'ucum - every conversion case gives the outcome, to the digits that are written',
  { skip },
  async (t) => {
    const cases = casesOf('conversion');
    t.equal(cases.length, 30);
    for (const { id, value = '', srcUnit = '', dstUnit = '', outcome = '' } of cases) {
      agrees(t, converted(value, srcUnit, dstUnit), outcome, `${id} ${value} ${srcUnit} in ${dstUnit}`);
    }
  },
);

t.test('ucum - multiplied and divided units convert to the stated result', { skip }, async (t) => {
  const product: Case[] = casesOf('multiplication').map((one) => ({ ...one, sign: '.' }));
  const quotient: Case[] = casesOf('division').map((one) => ({ ...one, sign: '/' }));
  t.equal(product.length + quotient.length, 5);
  for (const { id, v1, u1, v2, u2, vRes = '', uRes = '', sign } of [...product, ...quotient]) {
    const value = sign === '.' ? Number(v1) * Number(v2) : Number(v1) / Number(v2);
    const found = converted(String(value), `(${u1})${sign}(${u2})`, uRes === '' ? '1' : uRes);
    agrees(t, found, vRes, `${id} ${sign}`);
  }
});

t.test(
  'ucum - the cases that are not met are those of display names, which are shown nowhere',
  { skip },
  async (t) => {
    t.same(
      casesOf('displayNameGeneration').map(({ id }) => id),
      displayNames,
    );
  },
);

t.test('ucum - relations are exact decimals without the noise of floating point', async (t) => {
  const rows: [string, string, number | undefined, string, string][] = [
    ['mg/dL', 'g/L', undefined, '1e-2', '0e0'],
    ['Cel', '[degF]', undefined, '18e-1', '32e0'],
    ['mm[Hg]', 'kPa', undefined, '133322e-6', '0e0'],
    ['mg/dL', 'mmol/L', 180.156, '555074491e-10', '0e0'],
    ['10*3/uL', '10*9/L', undefined, '1e0', '0e0'],
  ];
  for (const [from, to, weight, factor, offset] of rows) {
    const found = relate(from, to, weight);
    if ('problem' in found) t.fail(`${from} to ${to}: ${found.problem}`);
    else if (weight === undefined) {
      t.same(
        [written(found.factor), written(found.offset), found.molar],
        [factor, offset, false],
        `${from} to ${to}`,
      );
    } else {
      t.ok(
        written(found.factor).startsWith(factor.slice(0, 8)),
        `${from} to ${to}: ${written(found.factor)}`,
      );
      t.equal(found.molar, true);
    }
  }
});

t.test('ucum - what must not be converted is refused with the reason', async (t) => {
  const rows: [string, string, number | undefined, RegExp][] = [
    ['mg/dL', 'mmol/L', undefined, /needs molecularWeight/],
    ['[IU]/mL', '[IU]/L', undefined, /cannot be converted/],
    ['[IU]/L', 'U/L', undefined, /cannot be converted/],
    ['mg/dL', 'mm[Hg]', undefined, /cannot be converted/],
    ['[pH]', 'mol/L', undefined, /cannot be converted/],
    ['B[SPL]', 'Pa', undefined, /not proportional/],
    ['ug/mL{FEU}', 'ug/L', undefined, /count different things/],
    ['MG/DL', 'g/L', undefined, /"MG\/DL" is not a UCUM unit/],
    ['meq/L', 'mmol/L', undefined, /cannot be converted/],
  ];
  for (const [from, to, weight, reason] of rows) {
    const found = relate(from, to, weight);
    t.match('problem' in found ? found.problem : 'it was converted', reason, `${from} to ${to}`);
  }
});

t.test('ucum - a unit text never reaches the console', async (t) => {
  const said: unknown[] = [];
  const { log } = console;
  console.log = (...all) => said.push(all);
  t.teardown(() => {
    console.log = log;
  });
  // The library throws on this text and would write it out.
  t.equal(isUcum('{|}1'), false);
  t.same(said, []);
});

t.test('ucum - a suggestion is one unit or none', async (t) => {
  t.same(suggestUcum('IU/L'), { code: '[IU]/L', name: '' });
  t.equal(suggestUcum('sec'), undefined, 'many units have it as a synonym');
  t.equal(suggestUcum('no such thing'), undefined);
});

type Case = Record<string, string>;

function casesOf(section: string): Case[] {
  const xml = readFileSync(file, 'utf8').replace(/<!--[\s\S]*?-->/g, '');
  const body = new RegExp(`<${section}>([\\s\\S]*?)</${section}>`).exec(xml)?.[1] ?? '';
  return [...body.matchAll(/<case\s([^>]*?)\/>/g)].map(([, attributes = '']) =>
    Object.fromEntries(
      [...attributes.matchAll(/([\w]+)="([^"]*)"/g)].map(([, name = '', value = '']) => [
        name,
        unescaped(value),
      ]),
    ),
  );
}

const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

function unescaped(text: string): string {
  return text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => entities[name] ?? '');
}

function converted(value: string, from: string, to: string): number {
  const relation = relate(from, to);
  if ('problem' in relation) throw new Error(`${from} to ${to}: ${relation.problem}`);
  const exact = parseDecimal(value) ?? fromNumber(Number(value), 15);
  return toNumber(add(multiply(exact, relation.factor), relation.offset));
}

/** An outcome of two digits says no more than two. Eleven are what our factors promise. */
function agrees(t: Pick<Test, 'ok'>, found: number, outcome: string, what: string): void {
  const digits = outcome.replace(/e.*$/i, '').replace(/^-?0*\.?0*|\./g, '').length;
  const wanted = Number(outcome);
  t.ok(
    Math.abs(found - wanted) <= Math.abs(wanted) * 10 ** -Math.min(digits - 1, 11),
    `${what}: ${found}, wanted ${outcome}`,
  );
}

function toNumber({ coefficient, scale }: Decimal): number {
  return Number(`${coefficient}e${-scale}`);
}

function written({ coefficient, scale }: Decimal): string {
  return coefficient === 0n ? '0e0' : `${coefficient}e${-scale || 0}`;
}
