import { createRequire } from 'node:module';
import t from 'tap';
import { compileMeaning } from '../../gateway/meaning-of-text.ts';
import { normalize } from '../../gateway/normalize/normalize.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';

const loaded = () =>
  Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('@lhncbc/ucum-lhc'));

t.test('ucum - the library is not loaded before a unit needs it', async (t) => {
  const meaning = compileMeaning('{}', 0);
  const read = (unit: string) => {
    const raw = Buffer.from(
      `MSH|^~\\&|A|B|C|D|20261123||ORU^R01|1|P|2.5\rOBR|1|||1^x^L\rOBX|1|NM|1^x^L||5|${unit}\r`,
    );
    const record = JournalRecord.fromPartial({ source: 'lab', protocol: 'mllp', raw });
    return normalize(record, meaning.contextFor(record)).events[0]?.observations[0]?.unitCode?.codings.at(-1)
      ?.code;
  };
  t.equal(read(''), undefined);
  t.equal(read('MG/DL'), 'mg/dL');
  t.notOk(loaded(), 'a start, a config without units and common spellings do without');
  t.equal(read('kcal/d'), 'kcal/d');
  t.ok(loaded());
});
