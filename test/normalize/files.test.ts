/** Files in OBX-5 (ED): cut over rows, or not in the form that the standard gives them [HL7 2.A.24]. */
import { createHash } from 'node:crypto';
import t from 'tap';
import { events, remarksOf } from './told.ts';

t.test('files - one that is cut over rows or repetitions is joined; two whole files are not', async (t) => {
  const whole = Buffer.from(`%PDF-1.4\n${'hello world '.repeat(20)}\n%%EOF`);
  const pdf = whole.toString('base64');
  const obx = (value: string, sub = '') => `OBX|1|ED|PDF^Report^L|${sub}|${value}||||||F`;
  const ed = (data: string) => `EPIC^AP^PDF^Base64^${data}`;
  const of = (...rows: string[]) => events('ORU^R01', 'OBR|1|1|2|X^Y^L', ...rows);
  const told = (...rows: string[]) => remarksOf(of(...rows));
  const piece = 'OBX-5: a file whose next piece seems to stand in another OBX or repetition, not joined';
  const join = 'OBX-5: a file in 2 pieces, joined';
  const [one, two] = [pdf.slice(0, 100), pdf.slice(100)];
  // Some cut the letters anywhere, some each piece into bytes of its own, with its padding.
  const padded = [whole.subarray(0, 100), whole.subarray(100)].map((bytes) => ed(bytes.toString('base64')));
  const ways = [
    [obx(ed(one)), obx(ed(two))],
    [obx(ed(one)), obx(`^^^^${two}`)],
    [obx(ed(one)), obx(`^^^Base64^${two}`)],
    [obx(`${ed(one)}~${ed(two)}`)],
    [obx(ed(one), '1'), obx(ed(two), '2')],
    ...[1, 2, 3].map((off) => [obx(ed(pdf.slice(0, 100 + off))), obx(ed(pdf.slice(100 + off)))]),
    [obx(padded[0] as string), obx(padded[1] as string)],
  ];
  for (const rows of ways) {
    const made = of(...rows);
    t.same(remarksOf(made), [join]);
    const observations = made[0]?.observations ?? [];
    t.equal(observations.length, 1);
    const [{ attachment: file, furtherAttachments } = { furtherAttachments: [] }] = observations;
    t.same(furtherAttachments, []);
    t.equal(Buffer.from(file?.data ?? []).toString(), whole.toString());
    t.match(file, {
      size: BigInt(whole.length),
      hash: createHash('sha256').update(whole).digest('hex'),
      contentType: 'application/pdf',
    });
  }
  const three = [pdf.slice(0, 90), pdf.slice(90, 203), pdf.slice(203)].map((data) => obx(ed(data)));
  const [document] = of(...three, 'NTE|1||signed', obx(ed(pdf)), 'OBX|5|TX|N^Note^L||seen||||||F');
  t.same(
    document?.observations.map((row) => row.attachment?.size ?? row.value),
    [BigInt(whole.length), BigInt(whole.length), 'seen'],
  );
  t.same(
    document?.observations[0]?.notes.map(({ text }) => text),
    ['signed'],
  );
  t.ok(document?.provenance?.remarks.includes('OBX-5: a file in 3 pieces, joined'));
  t.same(told(obx(ed(pdf)), obx(ed(pdf))), []);
  // Whole already, of another name, or without its end: as they were sent.
  t.same(told(obx(ed(pdf)), obx(ed(two))), []);
  t.same(told(obx(ed(one)), obx(ed(two)).replace('Report', 'Other').replace('PDF^', 'P2^')), []);
  const short = of(obx(ed(one)), obx(ed(two.slice(0, 60))));
  t.same(remarksOf(short), [piece]);
  t.equal(short[0]?.observations.length, 2);
  // A number of letters that no bytes have: the text stays, so that nothing is lost.
  const bad =
    'OBX[1]-5: Base64 of a length that it cannot have: something of it is missing, and it is kept as it was sent';
  t.same(told(obx(ed(pdf.slice(0, 101)))), [bad]);
  const [cut] = events('ORU^R01', 'OBR|1|1|2|X^Y^L', obx(ed(pdf.slice(0, 101))));
  t.equal(Buffer.from(cut?.observations[0]?.attachment?.data ?? []).toString(), pdf.slice(0, 101));
  // Without its components an ED is the data alone.
  const bare = of(obx(two));
  const file = bare[0]?.observations[0]?.attachment;
  t.match(file, { sourceApplication: '', size: BigInt(two.length) });
  t.equal(Buffer.from(file?.data ?? []).toString(), two);
  t.same(remarksOf(bare), ['OBX[1]-5: a file in the place of another part of it']);
  t.ok(told(obx(ed(one)), obx(two)).includes(join));
  t.match(events('ORU^R01', 'OBR|1|1|2|X^Y^L', obx('EPIC'))[0]?.observations[0]?.attachment, {
    sourceApplication: 'EPIC',
    size: 0n,
  });
});
