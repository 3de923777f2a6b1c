/** Files in OBX-5 (ED): cut over rows, or not in the form that the standard gives them [HL7 2.A.24]. */
import t from 'tap';
import { events, remarksOf } from './told.ts';

t.test('files - one that is cut over rows or repetitions is told of; two whole files are not', async (t) => {
  const pdf = Buffer.from(`%PDF-1.4\n${'hello world '.repeat(20)}\n%%EOF`).toString('base64');
  const obx = (value: string, sub = '') => `OBX|1|ED|PDF^Report^L|${sub}|${value}||||||F`;
  const ed = (data: string) => `EPIC^AP^PDF^Base64^${data}`;
  const told = (...rows: string[]) => remarksOf(events('ORU^R01', 'OBR|1|1|2|X^Y^L', ...rows));
  const piece = 'OBX-5: a file whose next piece seems to stand in another OBX or repetition, not joined';
  const [one, two] = [pdf.slice(0, 100), pdf.slice(100)];
  t.same(told(obx(ed(one)), obx(ed(two))), [piece]);
  t.same(told(obx(ed(one)), obx(`^^^^${two}`)), [piece]);
  t.same(told(obx(`${ed(one)}~${ed(two)}`)), [piece]);
  t.same(told(obx(ed(pdf)), obx(ed(pdf))), []);
  t.same(told(obx(ed(one), '1'), obx(ed(two), '2')), []);
  // A number of letters that no bytes have: the text stays, so that nothing is lost.
  const bad =
    'OBX[1]-5: Base64 of a length that it cannot have: something of it is missing, and it is kept as it was sent';
  t.same(told(obx(ed(pdf.slice(0, 101)))), [bad]);
  const [cut] = events('ORU^R01', 'OBR|1|1|2|X^Y^L', obx(ed(pdf.slice(0, 101))));
  t.equal(Buffer.from(cut?.observations[0]?.attachment?.data ?? []).toString(), pdf.slice(0, 101));
  // Without its components an ED is the data alone.
  const bare = events('ORU^R01', 'OBR|1|1|2|X^Y^L', obx(ed(one)), obx(two));
  const file = bare[0]?.observations[1]?.attachment;
  t.match(file, { sourceApplication: '', size: BigInt(two.length) });
  t.equal(Buffer.from(file?.data ?? []).toString(), two);
  t.same(remarksOf(bare), ['OBX[1]-5: a file in the place of another part of it', piece]);
  t.match(events('ORU^R01', 'OBR|1|1|2|X^Y^L', obx('EPIC'))[0]?.observations[0]?.attachment, {
    sourceApplication: 'EPIC',
    size: 0n,
  });
});
