/** Replies that refuse (MSA-1 AE, AR, CE, CR): what was asked for is not requested again by them. */
import t from 'tap';
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
