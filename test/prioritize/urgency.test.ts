import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import t from 'tap';
import { guessHl7v2 } from '../../gateway/capture/urgency.ts';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { highest } from '../../gateway/prioritize/classify.ts';
import { criticalFlags, fieldsRead } from '../../gateway/prioritize/defaults.ts';
import { seededRandom, seedOfThisRun } from '../kit/random.ts';
import { testContext } from '../normalize/context.ts';
import { classify } from './kit.ts';

const bytes = (...segments: string[]): Uint8Array => Buffer.from(segments.join('\r'), 'latin1');
const msh = (type: string, delimiters = '|^~\\&'): string => {
  const [bar] = delimiters;
  return [`MSH${delimiters}`, 'LAB', 'H', 'EHR', 'H', '20261123', '', type, '1', 'P', '2.5'].join(bar);
};
const field = (segment: string, n: number, value: string): string => `${segment}${'|'.repeat(n)}${value}`;
const oru = (...segments: string[]): Uint8Array => bytes(msh('ORU^R01'), 'PID|1', ...segments);

/** [what, message, class] */
const rows: [string, Uint8Array, string][] = [
  ['OBX-8 HH', oru(field('OBX', 8, 'HH')), 'stat'],
  ['OBX-8 in a second repetition', oru(field('OBX', 8, 'L~LL^low^HL70078|x')), 'stat'],
  ['OBX-8 behind a line break in the text', oru('OBX|1|TX|A^B||one\n\nthree|||AA|||F'), 'stat'],
  ['OBX-8 behind a carriage return', oru('OBX|1|TX|A^B||one\r\rthree|||AA|||F'), 'stat'],
  ['OBX-8 in a segment that continues it', oru('OBX|1|TX|A^B||one', 'ADD| two', 'ADD||||AA|||F'), 'stat'],
  ['the flag of an order that continues', oru('OBX|1|TX|A^B||one', 'NTE|1', 'ADD||||AA'), 'routine'],
  ['the same field of a segment behind a short OBX', oru('OBX|1|TX|A^B||one', 'NTE|1|L|||||HH'), 'routine'],
  ['OBX-8 in lower case', oru(field('OBX', 8, ' aa ')), 'stat'],
  ['OBX-8 H', oru(field('OBX', 8, 'H|HH')), 'routine'],
  ['OBX-8 of another word that begins alike', oru(field('OBX', 8, 'HHH')), 'routine'],
  ['HH in another field', oru(field('OBX', 7, 'HH')), 'routine'],
  ['OBR-27 component 6', oru(field('OBR', 27, '1^^^^^S')), 'stat'],
  ['OBR-27 in a second repetition', oru(field('OBR', 27, '1^^^^^R~1^^^^^A')), 'urgent'],
  ['OBR-27 that holds nothing but S', oru(field('OBR', 27, 'S')), 'stat'],
  ['OBR-27 with a routine priority after a quantity S', oru(field('OBR', 27, 'S^^^^^R')), 'routine'],
  ['OBR-5', oru(field('OBR', 5, 'S')), 'stat'],
  ['OBR-5 that OBR-27 corrects', oru(`${field('OBR', 5, 'S')}${'|'.repeat(22)}1^^^^^R`), 'routine'],
  ['TQ1-9', bytes(msh('OML^O21'), field('TQ1', 9, 'A^ASAP^HL70485')), 'urgent'],
  ['ORC-7.6', bytes(msh('ORM^O01'), field('ORC', 7, '1^^^^^TM5')), 'stat'],
  ['RXE-1.6', bytes(msh('RDE^O11'), field('RXE', 1, '1^^^^^S')), 'stat'],
  ['no priority', bytes(msh('ORM^O01'), field('ORC', 7, '1^^^^^R')), 'routine'],
  ['TQ1-9 of a laboratory that writes ST', bytes(msh('OML^O21'), field('TQ1', 9, 'ST')), 'stat'],
  ['TQ1-9 U', bytes(msh('OML^O21'), field('TQ1', 9, 'U^Urgent')), 'urgent'],
  ['a STAT referral', bytes(msh('REF^I12'), field('RF1', 2, 'S^STAT^HL70280')), 'stat'],
  ['a STAT request for an appointment', bytes(msh('SRM^S01'), field('ARQ', 12, 'STAT^x^HL70')), 'stat'],
  ['a referral as soon as possible', bytes(msh('REF^I12'), field('RF1', 2, 'A')), 'urgent'],
  ['OBX-8 in a word', oru(field('OBX', 8, 'Crit^critical')), 'stat'],
  ['OBX-8 in the alternate coding', oru(field('OBX', 8, 'KRITH^Critical^L^HH^x^HL70078|')), 'stat'],
  ['OBX-8 in the second alternate coding', oru(field('OBX', 8, 'H^^L^H^^X^^^^LL^^HL70078|')), 'stat'],
  ['OBX-8 in words without a code', oru(field('OBX', 8, 'N~^Critical High^L|')), 'stat'],
  ['OBX-8 in its original text', oru(field('OBX', 8, 'X1^^L^^^^^^Critical low')), 'stat'],
  ['OBX-8 of a system that is called HH', oru(field('OBX', 8, 'H^high^HH^H^high^LL^HH^AA')), 'routine'],
  ['the flag of a control', oru('OBR|1', field('OBX', 8, 'HH'), field('SPM', 11, 'Q')), 'routine'],
  [
    'that of the order behind it',
    oru('OBR|1', field('SPM', 11, 'Q'), 'OBR|2', field('OBX', 8, 'HH')),
    'stat',
  ],
  ['an admission', bytes(msh('ADT^A01'), 'PID|1'), 'routine'],
  ['a merge', bytes(msh('ADT^A40^ADT_A39'), 'PID|1'), 'urgent'],
  ['a merge that EVN-1 alone names', bytes(msh('ADT'), 'EVN|A34'), 'urgent'],
  ['a charge for a STAT order', bytes(msh('DFT^P03'), field('OBR', 27, '1^^^^^S')), 'bulk'],
  ['a master file', bytes(msh('MFN^M02')), 'bulk'],
  ['an alarm of high priority', bytes(msh('ORU^R40^ORU_R40'), field('OBX', 8, 'PH~SP')), 'stat'],
  ['an alarm of medium priority', bytes(msh('ORU^R40^ORU_R40'), field('OBX', 8, 'PM')), 'urgent'],
  ['an alarm of low priority', bytes(msh('ORU^R40^ORU_R40'), field('OBX', 8, 'PL')), 'routine'],
  ['an alarm without a priority', bytes(msh('ORU^R40^ORU_R40'), 'OBX|1'), 'urgent'],
  ['other delimiters', bytes(msh('ORU*R01', '$*%\\&'), `OBX${'$'.repeat(8)}H%HH`), 'stat'],
  ['line feeds', Buffer.from([msh('ORU^R01'), field('OBX', 8, 'HH')].join('\n')), 'stat'],
  [
    'carriage returns and line feeds',
    Buffer.from([msh('ORU^R01'), field('OBX', 8, 'HH')].join('\r\n')),
    'stat',
  ],
  [
    'a batch with one urgent message',
    bytes('FHS|^~\\&', msh('DFT^P03'), msh('ORM^O01'), field('TQ1', 9, 'S'), msh('ADT^A01')),
    'stat',
  ],
  ['no MSH', bytes('PID|1', field('OBX', 8, 'HH')), 'routine'],
  ['nothing', new Uint8Array(0), 'routine'],
];

for (const [what, raw, expected] of rows) {
  t.test(`guess - ${what} is ${expected}`, async (t) => t.equal(guessHl7v2(raw), expected));
}

t.test(
  'guess - a priority in any coding or text is that priority, and the classifier says the same',
  async (t) => {
    const compare = comparison();
    const rows: Record<string, string[]> = {
      stat: [
        '^STAT',
        '^^^S^Stat^HL70485',
        '1^STAT^L',
        '1^x^L^S^Stat^HL70485',
        'R^^^^^^^^^^stat',
        '1~2^^^^^^^^S',
      ],
      urgent: ['^ASAP', '1^x^L^A', '1^ASAP~R'],
      routine: ['1^x^STAT', 'R^Routine^L', '1^^^^^S^^S', '^^^^^^^^^^^STAT'],
    };
    for (const [expected, sents] of Object.entries(rows)) {
      const said = { guessed: expected, classified: expected };
      for (const sent of sents) {
        const timed = sent.split('~').map((one) => `1^^^^^${one.replaceAll('^', '&')}`);
        t.same(
          compare(bytes(msh('OML^O21'), 'PID|1||7', 'ORC|NW|1', field('TQ1', 9, sent), 'OBR|1|1||X')),
          said,
          sent,
        );
        t.same(compare(oru(`${field('OBR', 4, 'X')}${'|'.repeat(23)}${timed.join('~')}`)), said, sent);
      }
    }
  },
);

t.test(
  'guess - a referral or a request is as urgent as its table says, and so says the classifier',
  async (t) => {
    const compare = comparison();
    const rows: Record<string, string[]> = {
      stat: ['S', 'S^STAT^99GP', '2WW^Two week wait^99GP^S^STAT^HL7TABLE', '^^^S^STAT^L', '^^^S'],
      urgent: ['S^Standard^99GP^A^ASAP^HL7TABLE', 'R^Routine^99GP^X^x^L^^^^A^ASAP^HL7TABLE'],
      routine: [
        'S^Standard^99GP^R^Routine^HL7TABLE',
        '2WW^Two week wait^99GP^S^STAT^99X',
        '^STAT',
        'R^Routine^HL7TABLE^S',
      ],
    };
    for (const [expected, sents] of Object.entries(rows)) {
      const said = { guessed: expected, classified: expected };
      for (const sent of sents) {
        const rf1 = field('RF1', 2, sent.replace('HL7TABLE', 'HL70280'));
        t.same(compare(bytes(msh('REF^I12'), rf1, 'PID|1||7')), said, rf1);
        const arq = field('ARQ', 12, sent.replace('HL7TABLE', 'HL7 0485'));
        t.same(compare(bytes(msh('SRM^S01'), arq, 'PID|1||7')), said, arq);
        const tq1 = field('TQ1', 9, sent.replace('HL7TABLE', 'HL70485'));
        t.same(compare(bytes(msh('SIU^S12'), 'SCH|P1|F1', tq1, 'PID|1||7')), said, tq1);
        t.same(compare(bytes(msh('SIU^S12'), 'SCH|P1|F1', 'TQ1|1||||||||R', tq1, 'PID|1||7')), said, tq1);
      }
    }
  },
);

t.test('guess - what laboratories send for critical is stat, and the classifier says the same', async (t) => {
  const compare = comparison();
  const stat = [
    ...criticalFlags,
    'Critical',
    'H,HH',
    'LL,D',
    'H, hh ,D',
    'X^H,HH',
    'N~!-',
    '^^^critically low^',
  ];
  const routine = [
    'H',
    '*L',
    '*H',
    '++',
    '--',
    '+++',
    '---',
    '!',
    '*',
    '<',
    'H,L',
    'HCX',
    'Criticals',
    'H, not HH',
  ];
  for (const flag of stat) {
    t.same(compare(oru('OBR|1||1|X', field('OBX', 8, flag))), { guessed: 'stat', classified: 'stat' }, flag);
  }
  for (const flag of routine) {
    t.same(
      compare(oru('OBR|1||1|X', field('OBX', 8, flag))),
      { guessed: 'routine', classified: 'routine' },
      flag,
    );
  }
});

t.test('guess - any bytes have an answer', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`HILUM_SEED=${seed}`);
  const random = seededRandom(seed);
  const whole = oru(
    field('ORC', 7, '1^^^^^S'),
    field('OBR', 27, '1^^^^^S'),
    field('TQ1', 9, 'S'),
    field('OBX', 8, 'HH~L'),
  );
  for (let i = 0; i < 20_000; i++) {
    const raw = whole.slice(0, Math.floor(random() * (whole.length + 1)));
    for (let j = 0; j < 3 && raw.length > 0; j++)
      raw[Math.floor(random() * raw.length)] = Math.floor(random() * 256);
    guessHl7v2(raw);
  }
  t.pass('no exception');
});

t.test('guess - reads the fields that the default classes read', async (t) => {
  const types = {
    ORC: 'ORM^O01',
    OBR: 'ORM^O01',
    TQ1: 'OML^O21',
    RXE: 'RDE^O11',
    RXG: 'RGV^O15',
    OBX: 'ORU^R01',
    RF1: 'REF^I12',
    ARQ: 'SRM^S01',
  };
  for (const name of fieldsRead.hl7v2) {
    const [segment = '', n] = name.split('-');
    // What they say of a specimen takes a flag back.
    if (['OBR-15', 'SPM-11'].includes(name)) continue;
    if (['MSH-9', 'EVN-1', 'OBR-4', 'OBX-3', 'OBX-5'].includes(name)) continue;
    const value = segment === 'OBX' ? 'HH' : 'S';
    const raw = bytes(msh(types[segment as keyof typeof types]), field(segment, Number(n), value));
    t.equal(guessHl7v2(raw), 'stat', name);
  }
});

const corpus = resolve(process.env.HILUM_CORPUS ?? '../shared/corpus', 'hl7v2');

function comparison(): (raw: Uint8Array) => { guessed: string; classified: string } | undefined {
  const classifier = classify('{}');
  const context = testContext({ source: 'corpus', zone: 'UTC', attachmentBytesMax: 1_000 });
  return (raw) => {
    const { events } = normalizeHl7v2(raw, context);
    if (events.length === 0) return undefined;
    return { guessed: guessHl7v2(raw), classified: highest(events.map((event) => classifier(event).class)) };
  };
}

const noCorpus = !existsSync(corpus) && `no corpus at ${corpus}`;

t.test('guess - of controls and calibrators no flag counts, and the classifier says the same', async (t) => {
  const compare = comparison();
  const obr = (more = '') => `OBR|1||F1^L|K^^L${more}`;
  const hh = 'OBX|1|NM|K^^L||9.1|mmol/L||HH|||F';
  const spm = (role: string, type = 'SER') => `SPM|1|S1||${type}|||||||${role}`;
  const source = (role: string) => obr(`${'|'.repeat(11)}SER^^^^^^${role}`);
  const orders: Record<string, string[][]> = {
    routine: [
      ...[...'BCEFOQV'].map((role) => [obr(), hh, spm(`${role}^^HL70369`)]),
      [obr(), hh, spm('Q')],
      [obr(), hh, spm('q^Control^HL70369')],
      [obr(), hh, spm('^Control^99ABC^Q^^HL70369')],
      ...['QK^^99ABC^Q^^HL70369', 'Q^^99ABC^Q^^HL70369', 'P^^99ABC^Q^^0369', 'QK^^L^C^^HL7 0369'].map(
        (role) => [obr(), hh, spm(role)],
      ),
      [obr(), hh, spm(`QK^^L^Q^^L${'^'.repeat(11)}2.16.840.1.113883.12.369`)],
      [source('QK&Kontrolle&99ABC&Q&Control&HL70369'), hh],
      [obr(), hh, spm('L^Pool^HL70369~C^Calibrator^HL70369')],
      [obr(), hh, spm('Q'), spm('C^^HL70369')],
      [source('Q'), hh],
      [source('C&Calibrator&HL70369'), hh],
      ['ORC|RE', obr(), hh, spm('Q')],
    ],
    stat: [
      ...[
        '',
        'P',
        'G',
        'L',
        'U',
        'B',
        'C',
        'F^Femoral',
        'V',
        'QC',
        'Q^Quick^99ABC',
        'Q~P',
        '^Control',
        'Q^^99ABC^Q^^L',
        'Q^^99ABC^P^^HL70369',
      ].map((role) => [obr(), hh, spm(role)]),
      [obr(), hh, spm('Q'), spm('')],
      [obr(), hh, spm('Q'), obr(), hh],
      [obr(), hh, spm('Q'), 'ORC|RE', obr(), hh],
      [obr(), spm('Q'), obr(), hh],
      [source('P'), hh, spm('Q')],
      [source('Q&Quick&99ABC'), hh],
      [hh],
      [obr(`${'|'.repeat(23)}1^^^^^S`), hh, spm('Q')],
      [obr(), 'TQ1|1||||||||S', hh, spm('Q')],
    ],
  };
  const automated: Record<string, string[][]> = {
    routine: [
      [spm('Q'), obr(), 'ORC|NW', hh],
      [spm('Q'), 'SAC|||C1', obr(), hh, spm('P'), obr(), 'OBX|1|NM|K^^L||4|mmol/L|||||F'],
      [spm('Q', ''), 'SAC|||C1', obr(), 'SAC|||C2', obr(), hh],
      [spm('Q'), hh, obr()],
    ],
    stat: [
      [spm('P'), obr(), hh],
      [spm('Q'), obr(), spm('P'), obr(), hh],
      [spm('Q'), obr(), hh, spm('P'), obr(), hh],
      [spm('Q'), source('P'), hh],
      [obr(), 'ORC|NW', hh],
    ],
  };
  for (const [type, all] of Object.entries({ 'ORU^R01': orders, 'OUL^R22': automated }))
    for (const [expected, messages] of Object.entries(all))
      for (const message of messages)
        t.same(
          compare(bytes(msh(type), 'PID|1||7^^^H', ...message)),
          { guessed: expected, classified: expected },
          `${type} ${message.join(' ')}`,
        );
});

t.test('guess - agrees with the classifier over the corpus', { skip: noCorpus }, async (t) => {
  const compare = comparison();
  const found: Record<string, number> = {};
  for (const entry of readdirSync(corpus, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const both = compare(readFileSync(path));
    if (both === undefined) continue;
    found[both.classified] = (found[both.classified] ?? 0) + 1;
    t.equal(both.guessed, both.classified, relative(corpus, path));
  }
  t.comment(JSON.stringify(found));
  t.ok(Object.values(found).reduce((sum, count) => sum + count, 0) > 100);
});

t.test('guess - agrees with the classifier for every message type and field', async (t) => {
  const compare = comparison();
  const types =
    'ADT^A01 ADT^A40 ORU^R01 ORU^R40 ORU^R41 OUL^R22 ORM^O01 OML^O21 OMP^O09 RDE^O11 RDS^O13 RGV^O15 RAS^O17 MDM^T02 SIU^S12 SRM^S01 ' +
    'VXU^V04 DFT^P03 BAR^P01 REF^I12 PPR^PC1 MFN^M02';
  const fields = { ORC: [7], OBR: [5, 27], TQ1: [9], RXE: [1], RXG: [3], OBX: [8], RF1: [2], ARQ: [12] };
  const medications = ['OMP', 'RDE', 'RDS', 'RGV', 'RAS'];
  const base = [
    'PID|1||7^^^H',
    'ORC|NW|1|2',
    'OBR|1|1|2|X^Y^L',
    'RXE|1^^^^^R|M^Drug^L|1||mg',
    'OBX|1|NM|X^Y^L||1||||||F',
  ];
  let compared = 0;
  for (const type of types.split(' ')) {
    for (const [segment, numbers] of Object.entries(fields)) {
      if (segment.startsWith('RX') && !medications.includes(type.slice(0, 3))) continue;
      for (const n of numbers) {
        for (const value of [
          'S',
          'A',
          'R',
          'TM5',
          '1^^^^^S',
          '1^^^^^A~1^^^^^S',
          'HH',
          'H~LL',
          'PH',
          'PM~SP',
          'PL',
          'ST',
          'U',
          'CRIT',
          '""',
          'KRITH^Critical^L^HH^Critical high^HL70078',
          '^Critical high^L',
          'H^high^HH',
          'X^^L^PH^^MDC',
          'H^^L^H^^L^^^^LL',
          'X^^^^^^^^critical low',
          '^STAT',
          '1^STAT^L',
          '1^x^STAT',
          '1^x^L^^ASAP',
          'R^Routine^L^^^^^^^S',
          'R^^^^^^^^^^^S',
          '&S^^^^^&STAT',
          '1^^^^^1&x&L&S&Stat&HL70485^S',
          '1^^^^^R&x&STAT~^^^^^A',
        ]) {
          const raw = bytes(msh(type), ...base.slice(0, 3), field(segment, n, value), ...base.slice(3));
          const both = compare(raw);
          if (both === undefined) continue;
          compared += 1;
          if (both.guessed !== both.classified)
            t.same(both, { guessed: both.classified }, `${type} ${segment}-${n} ${value}`);
        }
      }
    }
  }
  t.comment(`${compared} messages`);
  t.ok(compared > 1_000);
});
