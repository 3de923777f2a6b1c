/** Codes that say how an order or a document stands, as senders write them: small, in words, or none of the table. */
import t from 'tap';
import { events, only, remarksOf, resources } from './told.ts';

const obr = (result = '') => `OBR|1|P1^C|F1^L|X^Y^L${'|'.repeat(21)}${result}`;

t.test('order codes - in either case, and in words that can be only one of them', async (t) => {
  const wanted: [orc: string, result: string, status: string, fhir: string][] = [
    ['ca|P1^C|F1^L', '', 'cancelled', 'revoked'],
    ['nw|P1^C', '', 'requested', 'active'],
    ['NW|P1^C|||Completed', '', 'completed', 'completed'],
    ['SC|P1^C|F1^L||cm', '', 'completed', 'completed'],
    ['SC|P1^C|F1^L||Completed', '', 'completed', 'completed'],
    ['SC|P1^C|F1^L||Discontinued', '', 'cancelled', 'revoked'],
    ['SC|P1^C|F1^L||In Progress', '', 'in-progress', 'active'],
    ['SC|P1^C|F1^L||hd', '', 'accepted', 'on-hold'],
    ['SC|P1^C|F1^L||ER', '', 'rejected', 'entered-in-error'],
    ['SC|P1^C|F1^L||gone', '', 'unknown', 'unknown'],
    ['NW|P1^C|||gone', '', 'requested', 'active'],
    ['SC|P1^C|F1^L', 'F', 'final', 'completed'],
    ['SC|P1^C|F1^L', 'X', 'cancelled', 'revoked'],
    ['SC|P1^C|F1^L', 'i', 'registered', 'active'],
    ['SC|P1^C|F1^L', '', 'in-progress', 'active'],
    ['SS|P1^C|F1^L', '', 'unknown', 'unknown'],
    ['ZZ|P1^C|F1^L', '', 'unknown', 'unknown'],
    ['OF|P1^C|F1^L', '', 'completed', 'completed'],
    ['FU|P1^C|F1^L', '', 'completed', 'completed'],
  ];
  for (const [orc, result, status, fhir] of wanted) {
    t.equal(events('ORM^O01', `ORC|${orc}`, obr(result))[0]?.status, status, `${orc} ${result}`);
    const requests = only('ServiceRequest', resources('ORM^O01', `ORC|${orc}`, obr(result)));
    t.match(requests, [{ status: fhir }], `${orc} ${result}`);
  }
  const pharmacy = events('RDE^O11', 'ORC|ca|O1^C|F1^P', 'RXE|^BID|A^A^L|1');
  t.match(pharmacy, [{ status: 'cancelled', order: { control: 'ca' } }]);
  t.equal(events('ORU^R01', 'ORC|ca|O1^C|F1^P', 'OBR|1|O1^C|F1^P|A^A^L')[0]?.status, 'cancelled');
});

t.test('order codes - one that is none of its table is told of', async (t) => {
  t.match(remarksOf(events('ORM^O01', 'ORC|ZZ|P1', obr())), [/^ORC-1: not a code of table 0119/]);
  t.match(remarksOf(events('ORM^O01', 'ORC|SC|P1|||gone', obr())), [/^ORC-5: not a code of table 0038/]);
  t.match(remarksOf(events('ORM^O01', 'ORC|SC|P1', obr('Q'))), [/^OBR-25: not a code of table 0123/]);
  t.same(remarksOf(events('ORM^O01', 'ORC|ca|P1|||Cancelled', obr('x'))), []);
  // No order, no such patient: answers to a query.
  for (const code of ['Y', 'z'])
    for (const [type, status] of [
      ['ORM^O01', 'in-progress'],
      ['ORU^R01', 'final'],
    ] as const) {
      const told = events(type, 'ORC|SC|P1', obr(code), 'OBX|1|NM|A^B^L||5||||||F');
      t.equal(told[0]?.status, status, type);
      t.same(remarksOf(told), ['OBR-25: an answer to a query, which says nothing of a result'], type);
    }
});

t.test('order codes - an order that is replaced, in small letters too', async (t) => {
  const all = events('ORM^O01', 'ORC|rp|P1', 'OBR|1|P1||A^A^L', 'ORC|ro|P2', 'OBR|1|P2||B^B^L');
  t.same(
    all.map(({ status }) => status),
    ['cancelled', 'requested'],
  );
});

t.test('order codes - how far a document is, and whether it may be used', async (t) => {
  const txa = (completion: string, availability = 'AV') =>
    `TXA|1|HP|TX|||||||||D1|||||${completion}||${availability}`;
  const wanted: [completion: string, availability: string, status: string, fhir: string][] = [
    ['au', 'AV', 'final', 'current'],
    ['Final', 'AV', 'final', 'current'],
    ['final', 'ob', 'final', 'superseded'],
    ['Preliminary', 'AV', 'preliminary', 'current'],
    ['AU', 'ca', 'cancelled', 'entered-in-error'],
    ['ZZ', 'AV', 'unknown', 'current'],
  ];
  for (const [completion, availability, status, fhir] of wanted) {
    const message = txa(completion, availability);
    t.equal(events('MDM^T02', message)[0]?.status, status, `${completion} ${availability}`);
    t.match(only('DocumentReference', resources('MDM^T02', message)), [{ status: fhir }], completion);
  }
  t.match(remarksOf(events('MDM^T02', txa('ZZ'))), [/^TXA-17: not a code of table 0271/]);
});

t.test('order codes - a code of table 0119 that says no status is not told as an unknown one', async (t) => {
  for (const control of 'CP RA RC RD RM RS SQ'.split(' ')) {
    const [event] = events('ORM^O01', `ORC|${control}|P1`, obr());
    t.equal(event?.status, 'unknown', control);
    t.same(event?.provenance?.remarks, ['ORC-1: it does not say where the order stands'], control);
  }
});

t.test('order codes - a document that may not be used for the patient says so in FHIR', async (t) => {
  const told = (availability: string, title = '') =>
    only(
      'DocumentReference',
      resources(
        'MDM^T02',
        `TXA|1|DS^Discharge^L|TX|||||||||D1|||||AU||${availability}||||||${title}`,
        'OBX|1|TX|A^B^L||x||||||F',
      ),
    )[0];
  for (const sent of ['UN', 'un', 'Unavailable'])
    t.match(
      told(sent),
      {
        status: 'current',
        description: 'Unavailable for patient care',
        extension: [
          {
            url: 'urn:hilum:extension:availability',
            valueCodeableConcept: { coding: [{ system: /v2-0273$/, code: 'UN' }] },
          },
        ],
      },
      sent,
    );
  t.match(told('UN', 'Summary'), { description: 'Unavailable for patient care: Summary' });
  for (const sent of ['AV', '', 'OB']) {
    t.notOk(JSON.stringify(told(sent)).includes('navailable'), sent);
    t.equal(told(sent)?.extension, undefined, sent);
  }
});
