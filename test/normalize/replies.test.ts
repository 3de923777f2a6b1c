/** Replies that refuse (MSA-1 AE, AR, CE, CR): what was asked for is not requested again by them. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { toBundleText } from '../../proto/fhir/bundle.ts';
import { problemsOf } from '../fhir/validator.ts';
import { er7, testContext } from './context.ts';
import { events, only, resources } from './told.ts';

t.test('replies - an order that the reply refuses is rejected, with what the reply says', async (t) => {
  for (const [type, code] of [
    ['ORR^O02', 'AE'],
    ['ORL^O22', 'AR'],
    ['RRE^O12', 'CE'],
    ['ORG^O20', 'cr'],
  ] as const) {
    for (const orc of [[], ['ORC|NW|O1^C'], ['ORC|UA|O1^C']]) {
      const [event, ...more] = events(type, `MSA|${code}|L01|Unknown test code`, ...orc);
      t.match(
        event,
        {
          status: 'rejected',
          notes: [{ text: 'Unknown test code' }],
          provenance: { inReplyTo: 'L01', acknowledgment: code },
        },
        `${type} ${code} ${orc}`,
      );
      t.same(more, []);
    }
  }
});

t.test('replies - what ERR says is kept', async (t) => {
  const err = 'ERR||PID^1^3|204^Unknown key identifier^HL70357|E|7^Registry^L||diagnosis|Patient not known';
  t.match(events('ORL^O22', 'MSA|AR|L01', err)[0]?.notes, [
    { text: 'PID^1^3; Unknown key identifier; Registry; diagnosis; Patient not known' },
  ]);
  t.match(events('ORR^O02', 'MSA|AE|L01', 'ERR|OBR^1^4^103&Table value not found&HL70357')[0]?.notes, [
    { text: 'OBR^1^4^103&Table value not found&HL70357' },
  ]);
});

t.test('replies - where a change was refused, nobody knows how the order stands', async (t) => {
  const wanted: [msa: string, orc: string, status: string, fhir: string][] = [
    ['AE', 'UC|O1^C|F1^P', 'unknown', 'unknown'],
    ['AE', 'CA|O1^C|F1^P', 'unknown', 'unknown'],
    ['AE', 'UC|O1^C|F1^P||IP', 'in-progress', 'active'],
    ['AE', 'NW|O1^C|F1^P', 'rejected', 'revoked'],
    ['AE', 'OK|O1^C|F1^P', 'accepted', 'active'],
    ['AA', 'UC|O1^C|F1^P', 'accepted', 'active'],
    ['AA', 'NW|O1^C|F1^P', 'requested', 'active'],
  ];
  for (const [msa, orc, status, fhir] of wanted) {
    const message = [`MSA|${msa}|1`, `ORC|${orc}`];
    t.equal(events('ORR^O02', ...message)[0]?.status, status, `${msa} ${orc}`);
    t.match(only('ServiceRequest', resources('ORR^O02', ...message)), [{ status: fhir }], `${msa} ${orc}`);
    const drug = [...message, 'RXO|A^A^L|1||mg'];
    t.equal(events('ORP^O10', ...drug)[0]?.status, status, `${msa} ${orc}, of a drug`);
    const prescribed = only('MedicationRequest', resources('ORP^O10', ...drug));
    t.match(prescribed, [{ status: fhir === 'revoked' ? 'cancelled' : fhir }], `${msa} ${orc}, of a drug`);
  }
});

t.test(
  'replies - an order that was never taken is rejected, also where ORC-5 says CA [IHE LAW LAB-28]',
  async (t) => {
    const wanted: [orc: string, status: string, fhir: string][] = [
      ['UA|O1^C|||CA', 'rejected', 'revoked'],
      ['ua|O1^C|||DC', 'rejected', 'revoked'],
      ['UA|O1^C', 'rejected', 'revoked'],
      ['DE|O1^C', 'rejected', 'revoked'],
      // It had been taken before.
      ['CR|O1^C|F1^P||CA', 'cancelled', 'revoked'],
      ['OK|O1^C|F1^P||CA', 'cancelled', 'revoked'],
      ['UC|O1^C|F1^P||CA', 'cancelled', 'revoked'],
      // What is refused is a change: the order stands as ORC-5 says, or as it stood.
      ['UC|O1^C|F1^P||CM', 'completed', 'completed'],
      ['UC|O1^C|F1^P||IP', 'in-progress', 'active'],
      ['UC|O1^C|F1^P', 'accepted', 'active'],
      ['UD|O1^C|F1^P', 'accepted', 'active'],
      ['UH|O1^C|F1^P', 'accepted', 'active'],
      ['UM|O1^C|F1^P', 'accepted', 'active'],
      ['UX|O1^C|F1^P', 'accepted', 'active'],
      // Still on hold.
      ['UR|O1^C|F1^P', 'accepted', 'on-hold'],
      ['HR|O1^C|F1^P', 'accepted', 'on-hold'],
      ['UR|O1^C|F1^P||IP', 'in-progress', 'active'],
      ['OK|O1^C|F1^P||SC', 'accepted', 'active'],
      ['XR|O1^C|F1^P', 'accepted', 'active'],
    ];
    const orders = ['ORL^O34', 'ORR^O02', 'ORG^O20', 'ORI^O24', 'OSU^O51', 'OPR^O38'];
    const drugs = ['RRE^O12', 'RRG^O16', 'ORP^O10'];
    for (const [orc, status, fhir] of wanted) {
      for (const type of orders) {
        const message = ['MSA|AA|1', `ORC|${orc}`, 'OBR|1|O1^C||K^K^L'];
        t.equal(events(type, ...message)[0]?.status, status, `${type} ${orc}`);
        t.match(only('ServiceRequest', resources(type, ...message)), [{ status: fhir }], `${type} ${orc}`);
      }
      for (const [type, line] of [
        ['ORB^O28', 'BPO|1|RBC^Red cells^L||2'],
        ['BRP^O30', 'BPX|1|RD||||RBC'],
        ['BRT^O32', 'BTX|1|W1^BB|||||||||TX'],
        ['ORD^O04', 'ODS|D||DIAB^Diabetic^L'],
        ['ORS^O06', 'RQD|1|4711^Gauze^INT'],
        ['ORN^O08', 'RQD|1|4711^Gauze^INT'],
      ] as const) {
        const message = ['MSA|AA|1', `ORC|${orc}`, line];
        t.equal(events(type, ...message)[0]?.status, status, `${type} ${orc}`);
        t.match(only('ServiceRequest', resources(type, ...message)), [{ status: fhir }], `${type} ${orc}`);
      }
      for (const type of drugs) {
        const message = ['MSA|AA|1', `ORC|${orc}`, 'RXO|A^A^L|1||mg'];
        t.equal(events(type, ...message)[0]?.status, status, `${type} ${orc}`);
        const prescribed = only('MedicationRequest', resources(type, ...message));
        t.match(prescribed, [{ status: fhir === 'revoked' ? 'cancelled' : fhir }], `${type} ${orc}`);
      }
      // What a refused reply repeats was neither given nor dispensed.
      for (const [type, act] of [
        ['RRD^O14', 'RXD|1|A^A^L|20261126|30|TAB'],
        ['RRA^O18', 'RXA|0|1|20261126080000||A^A^L|500|mg|||||||||||||CP'],
      ] as const) {
        if (status === 'rejected')
          t.equal(events(type, 'MSA|AA|1', `ORC|${orc}`, act)[0]?.status, 'unknown', `${type} ${orc}`);
      }
    }
  },
);

t.test(
  'replies - one that refuses what it was told of says neither that a dose was given nor that it was not',
  async (t) => {
    const rxa = 'RXA|0|1|20261126080000||AMOX^Amox^L|500|mg|||||||||||||CP';
    const rxd = 'RXD|1|A^A^L|20261126|30|TAB';
    const wanted: [msa: string, orc: string, status: string][] = [
      ['AE', 'ORC|UA|O1^C', 'unknown'],
      ['AR', 'ORC|RE|O1^C', 'unknown'],
      ['AR', 'ORC||O1^C', 'unknown'],
      ['AA', 'ORC|UA|O1^C', 'unknown'],
      // Of several orders this one was taken over.
      ['AE', 'ORC|OK|O1^C', 'completed'],
      ['AA', 'ORC|OK|O1^C', 'completed'],
      ['AA', 'ORC|RE|O1^C', 'completed'],
    ];
    for (const [msa, orc, status] of wanted) {
      for (const [type, act, resource] of [
        ['RRA^O18', rxa, 'MedicationAdministration'],
        ['RRD^O14', rxd, 'MedicationDispense'],
      ] as const) {
        const message = [`MSA|${msa}|M5|patient not found`, orc, act];
        const [event] = events(type, ...message);
        t.match(event, { status, notes: [{ text: 'patient not found' }] }, `${type} ${msa} ${orc}`);
        t.match(only(resource, resources(type, ...message)), [{ status }], `${type} ${msa} ${orc}`);
      }
    }
  },
);

t.test('replies - one that refuses does not say that blood was transfused', async (t) => {
  const btx = 'BTX|1|W1^BB|||||||||TX|F|20261126';
  for (const [orc, msa, event, fhir] of [
    ['ORC|UA|B1^E', 'AE', 'rejected', 'unknown'],
    ['ORC|RE|B1^E', 'AR', 'rejected', 'unknown'],
    ['ORC|RE|B1^E', 'AA', 'completed', 'completed'],
  ] as const) {
    const message = [`MSA|${msa}|1|bad unit`, orc, btx];
    t.equal(events('BRT^O32', ...message)[0]?.status, event, `${orc} ${msa}`);
    t.match(only('Procedure', resources('BRT^O32', ...message)), [{ status: fhir }], `${orc} ${msa}`);
  }
});

t.test(
  'replies - a referral that is refused is rejected, with why; one that should have changed is unknown',
  async (t) => {
    const rf1 = (status: string) => `RF1|${status}^X^HL70283|S|CARD^Cardiology|||R1^GP`;
    const err = 'ERR|||207^err^HL70357|E||||Cardiology full';
    const wanted: [type: string, msa: string, sent: string, status: string, fhir: string][] = [
      ['RRI^I12', 'AE', 'P', 'rejected', 'revoked'],
      ['RRI^I12', 'AR', '', 'rejected', 'revoked'],
      ['RRI^I12', 'AR', 'R', 'rejected', 'revoked'],
      // Its own word counts.
      ['RRI^I12', 'AE', 'A', 'accepted', 'active'],
      ['RRI^I13', 'AE', 'P', 'unknown', 'unknown'],
      ['RRI^I14', 'AE', 'P', 'unknown', 'unknown'],
      ['RRI^I14', 'AA', 'P', 'cancelled', 'revoked'],
      ['RRI^I12', 'AA', 'P', 'requested', 'active'],
    ];
    for (const [type, msa, sent, status, fhir] of wanted) {
      const message = [`MSA|${msa}|M1|No capacity`, err, rf1(sent)];
      const wants = {
        status,
        notes: [{ text: 'No capacity' }, { text: 'err; Cardiology full' }],
        provenance: { acknowledgment: msa, inReplyTo: 'M1' },
      };
      t.match(events(type, ...message), [wants], `${type} ${msa} ${sent}`);
      t.match(
        only('ServiceRequest', resources(type, ...message)),
        [{ status: fhir }],
        `${type} ${msa} ${sent}`,
      );
    }
  },
);

t.test('replies - one that holds nothing but how it answers is an event', async (t) => {
  const head = (type: string) => `MSH|^~\\&|LAB|HOSP|CPOE|HOSP|20261126081500||${type}|1|P|2.5.1`;
  const err = 'ERR|||204^Unknown key identifier^HL70357|E||||Order P1 not found';
  const wanted: [type: string, rest: string[], kind: string, status: string, notes: string[]][] = [
    ['ORL^O22', ['MSA|AE|M1', err], 'order', 'rejected', ['Unknown key identifier; Order P1 not found']],
    ['ORR^O02', ['MSA|AR|M1|Duplicate order'], 'order', 'rejected', ['Duplicate order']],
    ['RRA^O18', ['MSA|AR|M1|no such order'], 'medication', 'rejected', ['no such order']],
    ['RRE^O12', ['MSA|AA|M1'], 'medication', 'accepted', []],
    ['ORL^O22', ['MSA|aa|M1', 'PID|1||7'], 'order', 'accepted', []],
    ['ORL^O22', ['MSA|AA|M1', 'PID|1||7', 'OBR|1|P1||X^X^L'], 'order', 'accepted', []],
    // It says that the message is kept, and nothing of the order.
    ['ORL^O22', ['MSA|CA|M1'], 'order', 'unknown', []],
    ['RRI^I12', ['MSA|AR|M1|No capacity'], 'referral', 'rejected', ['No capacity']],
  ];
  for (const [type, rest, kind, status, notes] of wanted) {
    const { events, reject } = normalizeHl7v2(er7(head(type), ...rest), testContext());
    t.equal(reject, undefined, `${type} ${rest}`);
    t.match(
      events,
      [{ kind, status, notes: notes.map((text) => ({ text })), provenance: { inReplyTo: 'M1' } }],
      `${type} ${rest}`,
    );
    for (const event of events) t.same(problemsOf(toBundleText(event)), []);
  }
  for (const rest of [['MSA'], ['MSA|'], [err]]) {
    const { reject } = normalizeHl7v2(er7(head('ORL^O22'), ...rest), testContext());
    t.equal(reject?.code, 'nothing-in-it', `${rest}`);
  }
});
