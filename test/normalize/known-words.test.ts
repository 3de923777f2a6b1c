/** A priority or a flag that raises no class because nobody knows it is told. */
import t from 'tap';
import { isKnownFlag, isKnownPriority } from '../../gateway/normalize/hl7v2/known-words.ts';
import { criticalFlags, priorityClasses } from '../../gateway/prioritize/defaults.ts';
import { interpretations } from '../../proto/fhir/tables.ts';
import { events, remarksOf } from './told.ts';

const flagOf = (row: string) => `OBX[${row}]-8: a flag that is not known, it raises no class`;
const flag = flagOf('1');
const told = (...segments: string[]) => remarksOf(events('ORU^R01', ...segments));
const flagged = (sent: string) => told('OBR|1||F1|A^B^L', `OBX|1|NM|A^B^L||5|mg|1-4|${sent}|||F`);
const unknown = (place: string) => [`${place}: a priority that is not known, it raises no class`];

t.test('flags - one that is not known is told, with its row', async (t) => {
  for (const sent of ['KRITISK', 'CRITICO', 'CRITIQUE', '危急', '++', 'ZZ^Local word^L', '^Alarmierend^L'])
    t.same(flagged(sent), [flag], sent);
  for (const sent of [
    'H',
    'hh',
    'N',
    '',
    '""',
    'CRITICAL HIGH',
    'H,HH',
    'H~A',
    'X1^Critical^L',
    'X1^^L^HH^^HL70078',
  ])
    t.same(flagged(sent), [], sent);
  t.same(told('OBR|1||F1|A^B^L', 'OBX|1|NM|A^B^L||5|||+++|||F', 'OBX|2|NM|C^D^L||5|||KRITISK|||F'), [
    flag,
    flagOf('2'),
  ]);
});

t.test('flags - the priority and the kind of an alarm are none of a result', async (t) => {
  const alarm = ['OBR|1||F1|196616^MDC_EVT_ALARM^MDC', 'OBX|1|ST|196670^MDC_EVT_HI^MDC|1.1.1.1|x|||'];
  for (const sent of ['PH', 'pl', 'PM', 'PN', 'SP', 'ST', 'SA']) {
    t.same(flagged(sent), [flag], sent);
    const told = events('ORU^R40', alarm[0] ?? '', `${alarm[1]}${sent}|||F`);
    t.equal(told[0]?.kind, 'device-alarm');
    t.notMatch(remarksOf(told).join(), /a flag that is not known/, sent);
  }
  t.same(flagged('PH^Panic high^L'), [], 'its text is known');
});

t.test('priorities - one that is not known is told, with its field', async (t) => {
  const at = (place: string, sent: string) => {
    const timing = `^^^^^${sent}`;
    return told(
      `ORC|RE|P|F1||||${place === 'ORC-7' ? timing : ''}`,
      ...(place === 'TQ1-9' ? [`TQ1|1||||||||${sent}^^HL70485`] : []),
      `OBR|1|P|F1|A^B^L|${place === 'OBR-5' ? sent : ''}${'|'.repeat(22)}${place === 'OBR-27' ? timing : ''}`,
      'OBX|1|NM|A^B^L||5||||||F',
    );
  };
  for (const place of ['OBR-27', 'TQ1-9', 'ORC-7', 'OBR-5']) {
    for (const sent of ['NOTFALL', 'EILT', 'URGENTE', 'SPOED', '1'])
      t.same(at(place, sent), unknown(place), sent);
    for (const sent of ['S', 'R', 'stat', 'ROUTINE', 'TS30', 'PRN', 'CITO', ''])
      t.same(at(place, sent), [], sent);
  }
});

t.test('known words - all that raises a class, and all of the tables, is known', async (t) => {
  for (const one of [...criticalFlags, ...interpretations]) t.ok(isKnownFlag(one), one);
  const words = ['S', 'ST', 'STAT', 'CITO', 'T', 'TS5', 'TM', 'A', 'ASAP', 'P', 'U', 'URG', 'URGENT', 'TH2'];
  for (const one of words) {
    t.ok(isKnownPriority(one), one);
    t.ok(
      priorityClasses.some(({ pattern }) => pattern.test(one)),
      one,
    );
  }
});
