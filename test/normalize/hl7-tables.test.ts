/** A code of the sender's own before HL7's own, in a field that is read against a table of HL7's [HL7 2.A.13]. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { toBundleText } from '../../proto/fhir/bundle.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { problemsOf } from '../fhir/validator.ts';
import { classify } from '../prioritize/kit.ts';
import { er7, testContext } from './context.ts';
import { only } from './told.ts';

interface Told {
  readonly event: ClinicalEvent;
  readonly remarks: readonly string[];
  readonly class: string;
  of(type: string): Record<string, unknown>[];
}

const pid = 'PID|1||7^^^HOSP^MR||A^B|||F';
const classifier = classify('{}');

function tell(type: string, ...segments: string[]): Told {
  const head = `MSH|^~\\&|APP|HOSP|X|HOSP|20261126101500+0100||${type}|1|P|2.8`;
  const { events, reject } = normalizeHl7v2(er7(head, ...segments), testContext());
  const [event] = events;
  if (event === undefined) throw new Error(reject?.reason);
  const text = toBundleText(event);
  const problems = problemsOf(text);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const { entry } = JSON.parse(text) as { entry: { resource: Record<string, unknown> }[] };
  const all = entry.map(({ resource }) => resource);
  return {
    event,
    remarks: event.provenance?.remarks ?? [],
    class: classifier(event).class,
    of: (wanted) => only(wanted, all),
  };
}

/** HL7's code behind the sender's, and before it. */
const orders = (own: string, hl7: string): string[] => [`${own}^${hl7}`, `${hl7}^${own}`];

t.test('hl7 tables - the sex of a patient or a contact is that of table 0001', async (t) => {
  for (const [own, hl7, gender, sex] of [
    ['2^maennlich^99X', 'M^Male^HL70001', 'male', 'M'],
    ['1^Weiblich^99X', 'F^Female^HL70001', 'female', 'F'],
    ['W^weiblich^99X', 'F^Female^HL70001', 'female', 'F'],
  ] as const) {
    for (const sent of orders(own, hl7)) {
      const { event, remarks, of } = tell(
        'ADT^A08',
        'EVN||20261126',
        `PID|1||7^^^HOSP^MR||A^B|||${sent}`,
        `NK1|1|C^D|||||||||||||${sent}`,
        `GT1|1||E^F||||||${sent}`,
      );
      t.match(event.patient, { gender, administrativeSex: sex }, sent);
      t.match(event.relatedPersons, [{ gender }, { gender }], sent);
      t.match(of('Patient'), [{ gender }], sent);
      t.same(remarks, [], sent);
    }
  }
});

t.test('hl7 tables - a number with a text or of a system of its own is no sex of ISO 5218', async (t) => {
  const read = (sent: string) => tell('ADT^A08', 'EVN||20261126', `PID|1||7^^^HOSP^MR||A^B|||${sent}`);
  for (const sent of ['1^Weiblich^99X', '1^Weiblich', '2^^99X']) {
    t.match(read(sent).event.patient, { gender: 'unknown' }, sent);
    t.same(read(sent).remarks, ['PID-8: not a sex that is known'], sent);
  }
  t.match(read('2^Female^ISO5218').event.patient, { gender: 'female' });
});

t.test('hl7 tables - every spelling of the table is the table', async (t) => {
  for (const table of [
    'HL70206',
    'hl70206',
    'HL7-0206',
    'HL7 0206',
    'HL7 Table 0206',
    '0206',
    'http://terminology.hl7.org/CodeSystem/v2-0206',
    'urn:oid:2.16.840.1.113883.12.206',
    '2.16.840.1.113883.12.206',
  ]) {
    const { of } = tell('ADT^A60', pid, `IAM|1|DA|ASA^ASA^L|||WEG^geloescht^99X^D^Delete^${table}|A9^E`);
    t.match(
      of('AllergyIntolerance'),
      [{ verificationStatus: { coding: [{ code: 'entered-in-error' }] } }],
      table,
    );
  }
  // Its OID beside a name of the sender's own, and alone.
  for (const named of ['', 'L']) {
    const sent = `WEG^geloescht^99X^D^Delete^${named}${'^'.repeat(11)}2.16.840.1.113883.12.206`;
    const { of } = tell('ADT^A60', pid, `IAM|1|DA|ASA^ASA^L|||${sent}|A9^E`);
    t.match(
      of('AllergyIntolerance'),
      [{ verificationStatus: { coding: [{ code: 'entered-in-error' }] } }],
      named,
    );
  }
  const { of } = tell('ADT^A60', pid, 'IAM|1|DA|ASA^ASA^L|||WEG^geloescht^99X^D^Delete^HL70205|A9^E');
  t.match(of('AllergyIntolerance'), [{ clinicalStatus: { coding: [{ code: 'active' }] } }], 'another table');
});

t.test('hl7 tables - an allergy is as bad, of the kind and as sure as its tables say', async (t) => {
  for (const [own, severe, sure] of [
    [
      'MED^Medikament^99X^DA^Drug allergy^HL70127',
      '3^schwer^99X^SV^Severe^HL70128',
      'F^falsch^99X^C^Confirmed^HL70438',
    ],
    [
      'DA^Drug allergy^HL70127^MED^Medikament^99X',
      'SV^Severe^HL70128^3^schwer^99X',
      'C^Confirmed^HL70438^F^falsch^99X',
    ],
  ] as const) {
    const wanted = { category: ['medication'], criticality: 'high', reaction: [{ severity: 'severe' }] };
    const al1 = tell('ADT^A01', 'EVN||20261126', pid, `AL1|1|${own}|PCN^Pen^L|${severe}|rash`);
    t.match(al1.of('AllergyIntolerance'), [wanted], own);
    const kind = 'A^Allergie^99X^AL^Allergy^HL70436';
    const iam = tell('ADT^A60', pid, `IAM|1|${own}|PCN^Pen^L|${severe}|rash||A9^E||${kind}||||||||${sure}`);
    const verificationStatus = { coding: [{ code: 'confirmed' }] };
    t.match(iam.of('AllergyIntolerance'), [{ ...wanted, type: 'allergy', verificationStatus }], own);
  }
});

t.test('hl7 tables - a control is a control, and raises no alarm for a patient', async (t) => {
  for (const role of orders('QK^Qualitaetskontrolle^99X', 'Q^Control specimen^HL70369')) {
    const found = tell(
      'OUL^R22',
      `SPM|1|C1&L||SER|||||||${role}`,
      `OBR|1|P1||K^K^L|||20261126${'|'.repeat(18)}F`,
      'OBX|1|NM|2823-3^K^LN||9.1|mmol/L|3.5-5|HH|||F',
    );
    t.equal(found.class, 'routine', role);
  }
});

t.test('hl7 tables - blood that was wasted or given back did not go into the patient', async (t) => {
  for (const status of orders('VERW^verworfen^99X', 'WA^Wasted^HL70513')) {
    const found = tell(
      'BTS^O31',
      pid,
      'ORC|RE|P1|B1',
      'BPO|1|RBC',
      `BTX|1|W1||||||1|||${status}|F|20261126130000`,
    );
    t.equal(found.event.status, 'in-progress', status);
    t.match(found.of('BiologicallyDerivedProduct'), [{ status: 'unavailable' }], status);
    t.match(found.of('Procedure'), [{ status: 'not-done' }], status);
  }
  for (const status of orders('AUF^reserviert^99X', 'RS^Reserved^HL70510')) {
    const found = tell('BPS^O29', pid, 'ORC|RE|P1|B1', 'BPO|1|RBC', `BPX|1|${status}|F||W1|||||||||1`);
    t.match(found.of('BiologicallyDerivedProduct'), [{ status: 'available' }], status);
  }
});

t.test('hl7 tables - a referral has its status, its urgency and its two sides', async (t) => {
  const both = (own: string, hl7: string, at: 0 | 1): string => orders(own, hl7)[at] as string;
  for (const at of [0, 1] as const) {
    const found = tell(
      'REF^I12',
      `RF1|${both('NEW^New^99GP', 'P^Pending^HL70283', at)}|${both('2WW^Two week wait^99GP', 'S^STAT^HL70280', at)}||||R1^GP`,
      `PRD|${both('GP^Referring GP^99GP', 'RP^Referring Provider^HL70286', at)}|GREEN^G`,
      `PRD|${both('CL^Clinic^99GP', 'RT^Referred to Provider^HL70286', at)}|CARD^C`,
      pid,
    );
    t.equal(found.event.status, 'requested');
    t.equal(found.class, 'stat');
    t.match(found.of('ServiceRequest'), [
      {
        status: 'active',
        priority: 'stat',
        requester: { display: 'G GREEN' },
        performer: [{ display: 'C CARD' }],
      },
    ]);
  }
});

t.test('hl7 tables - who takes no part, attends and orders is told as that', async (t) => {
  for (const status of orders('ABG^abgesagt^99X', 'Cancelled^Cancelled^HL70278')) {
    const sch = `SCH|AP1|FA1${'|'.repeat(9)}^^30^20261201093000+0100^20261201100000+0100${'|'.repeat(14)}Booked`;
    const found = tell('SIU^S12', sch, pid, 'RGS|1', `AIP|1||900^R^R|||||||||${status}`);
    t.match(
      found.of('Appointment'),
      [{ participant: [{ status: 'accepted' }, { status: 'declined' }] }],
      status,
    );
  }
  for (const at of [0, 1] as const) {
    const attends = orders('BH^Behandler^99X', 'AT^Attending^HL70443')[at];
    const asks = orders('ANF^Anforderer^99X', 'OP^Ordering Provider^HL70912')[at];
    const found = tell(
      'OML^O21',
      pid,
      'PV1|1|I',
      `ROL||AD|${attends}|9^D^D`,
      'ORC|NW|P1|',
      `PRT||AD||${asks}|8^REQ^RAY`,
      'OBR|1|P1||K^K^L',
    );
    t.match(found.event.encounter?.participants, [{ role: 'attending' }]);
    t.match(found.of('ServiceRequest'), [{ requester: { display: 'RAY REQ' } }]);
  }
});

t.test(
  'hl7 tables - a visit, a bed, a diagnosis, a charge and a mood are what their tables say',
  async (t) => {
    for (const at of [0, 1] as const) {
      const both = (own: string, hl7: string): string => orders(own, hl7)[at] as string;
      const found = tell(
        'ADT^A01',
        'EVN||20261126',
        pid,
        `PV1|1|${both('STAT^Stationaer^99X', 'I^Inpatient^HL70004')}|4W`,
        `DG1|1||I10^HTN^I10|||${both('E^Endgueltig^99X', 'F^Final^HL70052')}`,
      );
      t.match(found.of('Encounter'), [{ class: { code: 'IMP' } }]);
      t.match(found.of('Condition'), [{ verificationStatus: { coding: [{ code: 'confirmed' }] } }]);
      const bed = tell(
        'ADT^A20',
        'EVN||20261126',
        `NPU|4W^1^A|${both('FREI^frei^99X', 'U^Unoccupied^HL70116')}`,
      );
      t.match(bed.of('Location'), [{ operationalStatus: { code: 'U' } }]);
      const charge = tell(
        'DFT^P03',
        'EVN||20261126',
        pid,
        `FT1|1|T1||20261126||${both('CHG^Charge^99X', 'CG^Charge^HL70017')}|99213^V^CPT`,
      );
      t.match(charge.of('ChargeItem'), [{ status: 'billable' }]);
      const goal = both('ZIEL^Ziel^99X', 'GOL^Goal^HL70725');
      const row = tell(
        'ORU^R01',
        pid,
        'OBR|1|P1||K^K^L',
        `OBX|1|NM|K^K^L||4|mmol/L|||||F${'|'.repeat(11)}${goal}`,
      );
      t.match(row.event.observations, [{ status: 'unknown' }]);
      const event = both('BEF^Befund^99X', 'EVN^Event^HL70725');
      const told = tell(
        'ORU^R01',
        pid,
        'OBR|1|P1||K^K^L',
        `OBX|1|NM|K^K^L||4|mmol/L|||||F${'|'.repeat(11)}${event}`,
      );
      t.match(told.event.observations, [{ status: 'final' }]);
      const restricted = tell(
        'ADT^A08',
        'EVN||20261126',
        pid,
        `ARV|1|${both('WEG^weg^99X', 'D^Delete^HL70206')}|V^Very restricted^HL70177`,
      );
      t.notOk(JSON.stringify(restricted.of('Patient')).includes('Very restricted'));
    }
  },
);
