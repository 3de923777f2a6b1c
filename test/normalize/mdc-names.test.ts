/** What devices say by the names of MDC alone, and by flags in one text. */
import t from 'tap';
import { guessHl7v2 } from '../../gateway/capture/urgency.ts';
import { normalize } from '../../gateway/normalize/normalize.ts';
import { compileClassifier } from '../../gateway/prioritize/classify.ts';
import { configSchema } from '../../proto/config/schema.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { er7, testContext } from './context.ts';
import { events, remarksOf } from './told.ts';

const mdc = 'urn:iso:std:iso:11073:10101';
const row = (code: string, unit: string) => {
  const rows = ['OBR|1|P|F|1^x^L', `OBX|1|NM|${code}|1.1.1.1|97|${unit}|||||F`];
  const raw = er7('MSH|^~\\&|A|B|C|D|20261123||ORU^R01|1|P|2.6', 'PID|||7', ...rows);
  const { events: made } = normalize(JournalRecord.fromPartial({ protocol: 'mllp', raw }), testContext());
  return made[0]?.observations[0];
};

t.test('mdc names - a term whose number was left out has its reference id as its code', async (t) => {
  for (const sent of [
    '^MDC_PULS_OXIM_SAT_O2^MDC',
    'MDC_PULS_OXIM_SAT_O2^^MDC',
    'X^y^L^^MDC_PULS_OXIM_SAT_O2^MDC',
  ]) {
    const coding = row(sent, '')?.code?.codings.find(({ system }) => system === mdc);
    t.equal(coding?.code, 'MDC_PULS_OXIM_SAT_O2', sent);
  }
  t.equal(row('^MDC_PULS_OXIM_SAT_O2^MDC', '')?.code?.text, 'MDC_PULS_OXIM_SAT_O2');
  t.same(row('^Sättigung^MDC', '')?.code?.codings, [], 'a text of its own is no code');
  t.same(row('^MDC_X^L', '')?.code?.codings, [], 'nor is a name that nobody says to be of MDC');
});

t.test('mdc names - a unit is read by its reference id, wherever that stands', async (t) => {
  const rows: [string, string][] = [
    ['^MDC_DIM_PERCENT^MDC', '%'],
    ['MDC_DIM_PERCENT', '%'],
    ['MDC_DIM_PERCENT^^L', '%'],
    ['^MDC_DIM_MILLI_L_PER_HR', 'mL/h'],
    ['MDC_DIM_MICRO_G_PER_KG_PER_MIN', 'ug/kg/min'],
  ];
  for (const [sent, ucum] of rows)
    t.equal(row('1^x^L', sent)?.unitCode?.codings.find(({ mapped }) => mapped)?.code, ucum, sent);
  t.equal(
    row('1^x^L', 'MDC_DIM_FURLONG')?.unitCode?.codings.length,
    1,
    'one that is not known stays as sent',
  );
});

t.test('alarm flags - several in one text, with commas between them', async (t) => {
  const classify = compileClassifier(configSchema.parse({}));
  const cases: [string, string, string, string][] = [
    ['PH,SP', 'high', 'physiological', 'stat'],
    ['SP, pm', 'medium', 'physiological', 'urgent'],
    ['PL,ST', 'low', 'technical', 'routine'],
    ['PH,ST^^L', 'high', 'technical', 'stat'],
    ['PL~ST,PH', 'low', 'technical', 'stat'],
  ];
  for (const [sent, priority, type, expected] of cases) {
    const rows = ['OBR|1||F|196616^MDC_EVT_ALARM^MDC', `OBX|1|ST|196670^MDC_EVT_LO^MDC|1.1|x|||${sent}|||F`];
    const told = events('ORU^R40', ...rows);
    t.match(told[0]?.alarm, { priority, type }, sent);
    t.same(remarksOf(told), [], sent);
    t.equal(told[0] && classify(told[0]).class, expected, sent);
    t.equal(
      guessHl7v2(er7('MSH|^~\\&|A|B|C|D|20261123||ORU^R40|1|P|2.6', ...rows)),
      expected,
      `${sent}: guess`,
    );
  }
});

t.test('alarm flags - capture guesses the class that the event will have', async (t) => {
  const classify = compileClassifier(configSchema.parse({}));
  const cases: [string, string][] = [
    ['^PL', 'routine'],
    ['^PH^L', 'stat'],
    ['SP^PH', 'urgent'],
    ['HIGH', 'urgent'],
    ['LOW~PL', 'routine'],
    ['PL~HIGH', 'routine'],
    ['PH&PL', 'urgent'],
    ['X^^L^,PM', 'urgent'],
    ['X^^L^SP,PH^^L', 'stat'],
  ];
  for (const [sent, expected] of cases) {
    const rows = ['OBR|1||F|196616^MDC_EVT_ALARM^MDC', `OBX|1|ST|196670^MDC_EVT_LO^MDC|1.1|x|||${sent}|||F`];
    const [told] = events('ORU^R40', ...rows);
    const guess = guessHl7v2(er7('MSH|^~\\&|A|B|C|D|20261123||ORU^R40|1|P|2.6', 'PID|||7', ...rows));
    t.same([told && classify(told).class, guess], [expected, expected], sent);
  }
});
