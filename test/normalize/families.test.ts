import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import type { NormalizeContext, Normalized } from '../../gateway/normalize/outcome.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { er7, testContext } from './context.ts';
import { samples, seg } from './samples.ts';

function run(name: keyof typeof samples, context: NormalizeContext = testContext()): ClinicalEvent[] {
  const { events, reject } = normalizeHl7v2(Buffer.from(samples[name]), context);
  if (reject !== undefined) throw new Error(reject.reason);
  return events;
}

function refuse(...lines: string[]): Normalized {
  return normalizeHl7v2(er7(...lines), testContext());
}

function header(type: string): string[] {
  return [`MSH|^~\\&|A|B|C|D|20261123||${type}|1|P|2.5`, 'PID|1||7'];
}

t.test('families - every sample gives events that the wire carries both ways', (t) => {
  for (const name of Object.keys(samples) as (keyof typeof samples)[]) {
    for (const event of run(name)) {
      const again = ClinicalEvent.decode(ClinicalEvent.encode(event).finish());
      t.same(ClinicalEvent.toJSON(again), ClinicalEvent.toJSON(event), name);
      t.match(event.provenance?.rules[0], /^hl7v2\//, name);
    }
  }
  t.end();
});

t.test('provenance - says what MSH says, and leaves the rest to the caller', (t) => {
  const event = run('a01')[0];
  t.match(event?.provenance, {
    source: 'lab',
    protocol: 'mllp',
    messageControlId: 'C-1',
    messageType: 'ADT^A01^ADT_A01',
    version: '2.5.1',
    sendingApplication: 'APP',
    sendingFacility: 'FAC',
    receivingApplication: 'HILUM',
    receivingFacility: 'SITE',
    processingId: 'P',
    charset: 'ASCII',
    recordHash: '',
    mappingVersion: '',
  });
  t.equal(event?.times?.message?.value, '2026-11-23T08:15:00+01:00');
  t.equal(event?.id, '');
  t.equal(event?.class, '');
  t.end();
});

t.test('adt - an admission has its patient, visit and movement', (t) => {
  const event = run('a01')[0];
  t.equal(event?.kind, 'admission');
  t.match(event?.movement, {
    trigger: 'A01',
    action: 'admit',
    recorded: { value: '2026-11-23T08:15:00+01:00' },
  });
  t.match(event?.patient, {
    identifiers: [
      { system: 'urn:hilum:lab:HOSP', value: '4711', type: 'MR', assigner: 'HOSP' },
      { system: 'urn:oid:1.2.3', value: '98', type: 'PI' },
    ],
    names: [{ family: 'MUSTER', given: ['ERIKA', 'A'] }],
    birthDate: '1964-08-12',
    gender: 'female',
    administrativeSex: 'F',
    addresses: [{ line: ['WEG 1'], city: 'BERLIN', postalCode: '10115', country: 'DE' }],
    telecoms: [{ system: 'phone', value: '030123', use: 'home' }],
  });
  t.match(event?.encounter, {
    class: 'I',
    status: 'in-progress',
    location: { pointOfCare: 'W1', room: '12', bed: 'B', facility: 'HOSP' },
    identifiers: [{ value: 'V9', type: 'VN' }],
    participants: [
      { role: 'attending', person: { identifiers: [{ value: '77' }], name: { family: 'ARZT' } } },
    ],
    period: { start: { value: '2026-11-23T07:00:00+01:00', precision: 'minute' } },
  });
  t.match(event?.allergies, [{ code: { text: 'Penicillin' }, reactions: ['RASH'] }]);
  t.end();
});

t.test('adt - discharge, cancel and swap say so', (t) => {
  t.match(run('a03')[0], { movement: { action: 'discharge' }, encounter: { status: 'finished' } });
  t.equal(run('a03')[0]?.times?.observed?.value, '2026-11-23T08:00:00+01:00');
  t.match(run('a11')[0], { movement: { action: 'cancel-admit' }, status: 'cancelled' });
  t.same(
    run('a17').map((event) => [event.movement?.action, event.encounter?.location?.pointOfCare]),
    [
      ['swap', 'A'],
      ['swap', 'B'],
    ],
  );
  t.end();
});

t.test('adt - every trigger from A01 to A62 says what it does', (t) => {
  // A19 is a query; A56 to A59 were never given out.
  const none = new Set(['A19', 'A56', 'A57', 'A58', 'A59']);
  for (let number = 1; number <= 62; number++) {
    const trigger = `A${String(number).padStart(2, '0')}`;
    const head = `MSH|^~\\&|A|B|C|D|2026||ADT^${trigger}|1|P|2.5`;
    const event = normalizeHl7v2(er7(head, 'PID|1||1', 'PV1|1|I'), testContext()).events[0];
    const action = event?.merge?.action ?? event?.movement?.action;
    if (none.has(trigger)) t.equal(action, 'other', trigger);
    else t.notMatch(action, /^(other)?$/, `${trigger} ${action}`);
    t.equal(event?.kind, event?.merge === undefined ? 'admission' : 'merge');
  }
  t.end();
});

t.test('oru - text goes on after a raw line break, and what stands behind it counts', (t) => {
  for (const ending of ['\r', '\r\n', '\n', '\r\r']) {
    const raw = samples.oruPatients.replace('NM|A^A^L||1|', `TX|A^A^L||one${ending}two, three|`);
    const { events } = normalizeHl7v2(Buffer.from(raw), testContext());
    const { remarks = [] } = events[0]?.provenance ?? {};
    t.same(remarks, ['line 4: its text goes on after a line break']);
    t.match(events[0]?.observations[0], { value: `one${ending}two, three`, status: 'final' });
  }
  const lines = 'OBX|1|ED|R^Report^L||^AP^PDF^Base64^JVBERi0x\r\nLjQgZGVt\r\nbw==||||||F';
  const [report] = normalizeHl7v2(er7(...header('ORU^R01'), lines), testContext()).events;
  t.equal(Buffer.from(report?.observations[0]?.attachment?.data ?? []).toString(), '%PDF-1.4 demo');
  t.equal(report?.observations[0]?.status, 'final');
  const note = er7(
    ...header('ORU^R01'),
    'OBX|1|NM|A^B^L||1||||||F',
    'NTE|1||first',
    'and second',
    'NTE|2||third',
  );
  t.same(
    normalizeHl7v2(note, testContext()).events[0]?.observations[0]?.notes.map(({ text }) => text),
    ['first\rand second', 'third'],
  );
  t.end();
});

t.test('oru - a blank line in a text does not end it, and no line of it is a segment', (t) => {
  for (const raw of [
    'First\n\nSecond\n\n\nPID of it',
    'First\r\n\r\nMRI of it\r\n\r\n\r\nPID of it',
    'a\r\r\rb',
  ]) {
    const obx = `OBX|1|TX|R^Report^L||${raw}|||AA|||F`;
    const { events } = normalizeHl7v2(er7(...header('ORU^R01'), 'OBR|1||F1|R^R^L', obx), testContext());
    t.match(events, { length: 1 });
    t.match(events[0]?.observations, [{ value: raw, interpretation: 'AA', status: 'final' }]);
  }
  for (const [line, value] of [
    ['RBC', 'seen:\nRBC\nJDM'],
    ['NTE', 'seen:'],
  ]) {
    const obx = `OBX|1|TX|R^Report^L||seen:\n${line}\nJDM||||||F`;
    const { events } = normalizeHl7v2(er7(...header('ORU^R01'), obx), testContext());
    t.equal(
      events[0]?.observations[0]?.value,
      value,
      'three letters alone in a line are text, if no segment',
    );
  }
  const asked = 'OBR|1|P1||CT^CT^L|||||||||pain\r\nsince\r\n\r\nMonday||||||||||||||^^^^^S';
  const [order] = normalizeHl7v2(er7(...header('ORM^O01'), 'ORC|NW|P1', asked), testContext()).events;
  const { relevantClinicalInformation, priority, timing } = order?.order ?? {};
  t.match({ relevantClinicalInformation }, { relevantClinicalInformation: 'pain\r\nsince\r\n\r\nMonday' });
  t.match(timing, [{ priority: 'S' }], 'what the clinician wrote does not cost the order its priority');
  t.equal(priority, 'S');
  const coded = 'OBX|1|CWE|A^B^L||^free\r\ntext|||HH|||F';
  t.match(normalizeHl7v2(er7(...header('ORU^R01'), coded), testContext()).events[0]?.observations, [
    { value: 'free\r\ntext', interpretation: 'HH', status: 'final' },
  ]);
  const bare = er7(...header('ORU^R01'), 'OBX|1|NM|A^B^L||1||||||F', 'PID\nDG1 listed||||||F');
  t.equal(normalizeHl7v2(bare, testContext()).events.length, 1, 'text behind a bare name is none of it');
  // A CR that does not stand in a text ends its segment, and what follows is no second patient.
  const cut = er7(...header('ORU^R01'), 'OBX|1|NM|A^B^L||1', 'PID controller|||||||F');
  const { events } = normalizeHl7v2(cut, testContext());
  t.match(events, [{ provenance: { remarks: ['line 4: not a segment, left out'] } }]);
  t.equal(events.length, 1);
  t.end();
});

t.test('scanner - line breaks are walked once, however many they are', (t) => {
  for (const mark of ['\r', '\n', '\r\n']) {
    const text = `OBX|1|TX|R^Report^L||a${mark.repeat(1_000_000)}b||||||F`;
    // By the square it would be hours.
    const { events } = normalizeHl7v2(er7(...header('ORU^R01'), text), testContext());
    t.equal(events[0]?.observations[0]?.status, 'final');
    t.equal(events[0]?.provenance?.remarks.length, 1);
  }
  t.end();
});

t.test('adt - a message that is whole is read, whatever its MSH-14 holds', (t) => {
  const head = 'MSH|^~\\&|ORBIS|KH|X|KH|20261123||ADT^A08|1|P|2.5||123788998';
  const whole = normalizeHl7v2(er7(head, 'EVN|A08|20261123', 'PID|1||7'), testContext());
  t.match(whole.events, [{ kind: 'admission', patient: { identifiers: [{ value: '7' }] } }]);
  t.same(whole.events[0]?.provenance?.remarks, ['MSH-14: a continuation pointer in a message that is whole']);
  for (const later of ['PV1|1|I|W1', 'OBX|1|NM|A||1', 'ADD|more']) {
    t.match(normalizeHl7v2(er7(head, later), testContext()), {
      events: [],
      reject: { code: 'continuation' },
    });
  }
  t.end();
});

t.test('adt - a sex by the words of table 0001 is that sex, and stays as sent', (t) => {
  for (const [sent, gender] of [
    ['Female', 'female'],
    ['male', 'male'],
    ['UNKNOWN', 'unknown'],
    ['Ambiguous', 'other'],
    ['W', 'unknown'],
  ]) {
    const raw = er7('MSH|^~\\&|A|B|C|D|20261123||ADT^A08|1|P|2.5', `PID|1||7||A^B|||${sent}`);
    t.match(normalizeHl7v2(raw, testContext()).events[0]?.patient, { gender, administrativeSex: sent });
  }
  t.end();
});

t.test('adt - an address that stands in XTN-1 and XTN-4 is one', (t) => {
  const pid = 'PID|1||7||||||||||a@b.org^NET^X.400^a@b.org~c@d.org^NET^Internet^e@f.org~+49 30 1^^PH';
  const [event] = normalizeHl7v2(
    er7('MSH|^~\\&|A|B|C|D|20261123||ADT^A08|1|P|2.5', pid),
    testContext(),
  ).events;
  t.same(
    event?.patient?.telecoms.map(({ value, system }) => `${system} ${value}`),
    ['email a@b.org', 'email e@f.org', 'email c@d.org', 'phone +49 30 1'],
  );
  t.end();
});

t.test('oru - an organization that takes part has its name and its number', (t) => {
  const prt = 'PRT||UC||PO^Performing^HL70912||||Lab North^^^^^CLIA&2.16.840.1.113883.4.7&ISO^XX^^^05D1';
  const { events } = normalizeHl7v2(er7(...header('ORU^R01'), 'OBR|1||F1|A^B^L', prt), testContext());
  t.match(events[0]?.order?.participants, [
    {
      role: 'performing',
      person: undefined,
      organization: {
        identifiers: [{ value: '05D1', type: 'XX', system: 'urn:oid:2.16.840.1.113883.4.7' }],
        name: 'Lab North',
      },
    },
  ]);
  t.end();
});

t.test('oru - a line that is no segment and belongs to no text is left out with a remark', (t) => {
  const lines = [
    ...header('ORU^R01'),
    'OBX|1|NM|A^B^L||72',
    'checksum 5A',
    'OBX|2|ST|A^B^L||x||||||F',
    'more',
  ];
  const [event] = normalizeHl7v2(er7(...lines), testContext()).events;
  t.same(
    event?.observations.map(({ value }) => value),
    ['72', 'x'],
  );
  t.same(event?.provenance?.remarks, ['line 4: not a segment, left out', 'line 6: not a segment, left out']);
  t.end();
});

t.test('adt - the HL7 null is told as a field to delete', (t) => {
  const event = run('a08null')[0];
  t.same(event?.nulls, ['PID-6']);
  t.same(event?.patient?.mothersMaidenName, []);
  t.end();
});

t.test('adt - a missing trigger or type comes from EVN-1', (t) => {
  t.equal(run('noTrigger')[0]?.movement?.action, 'register');
  t.equal(run('noType')[0]?.movement?.action, 'admit');
  t.end();
});

t.test('adt - a merge has the surviving and the retired identity', (t) => {
  t.match(run('a40')[0], {
    kind: 'merge',
    merge: {
      action: 'merge',
      trigger: 'A40',
      surviving: [{ value: '4711' }, { value: '98' }],
      retired: [{ value: '900', assigner: 'HOSP' }],
      retiredAccounts: [{ value: 'ACC8' }],
      retiredVisits: [{ value: 'V8' }],
      priorNames: [{ family: 'ALT' }],
    },
  });
  t.same(
    run('a40twice').map((event) => [event.merge?.surviving[0]?.value, event.merge?.retired[0]?.value]),
    [
      ['1', '91'],
      ['2', '92'],
    ],
  );
  t.match(run('a24')[0]?.merge, {
    action: 'link',
    other: { identifiers: [{ value: '2' }], names: [{ family: 'OTHER' }] },
  });
  t.same(run('a24')[0]?.merge?.retired, [], 'nobody is retired by a link');
  t.match(run('a60')[0], {
    movement: { action: 'update-allergy' },
    allergies: [{ reactions: ['HIVES', 'COUGH'] }],
  });
  t.end();
});

t.test('oru - one event per OBR group, each with the patient', (t) => {
  const events = run('oru');
  t.equal(events.length, 2);
  t.same(
    events.map((event) => [event.kind, event.status, event.order?.filler?.value, event.observations.length]),
    [
      ['observation', 'final', 'F1', 4],
      ['observation', 'preliminary', 'F2', 1],
    ],
  );
  for (const event of events) t.equal(event.patient?.identifiers[0]?.value, '4711');
  t.equal(events[0]?.times?.observed?.value, '2026-11-23T07:45:00+01:00');
  t.equal(events[0]?.times?.issued?.value, '2026-11-23T08:10:00+01:00');
  t.end();
});

t.test('oru - values stay as they were written', (t) => {
  const [first, second] = run('oru');
  const [hb, glucose, group, text] = first?.observations ?? [];
  t.match(hb, {
    code: { text: 'Hemoglobin', codings: [{ system: 'http://loinc.org', code: '718-7' }] },
    value: '7.40',
    unit: 'g/dL',
    unitCode: { codings: [{ system: 'http://unitsofmeasure.org', code: 'g/dL' }] },
    status: 'final',
    interpretation: 'LL',
    interpretations: ['LL', 'A'],
    referenceRange: '12.0-16.0',
    valueType: 'NM',
  });
  t.match(glucose, {
    value: '<0.01',
    status: 'preliminary',
    structured: { comparator: '<', number1: '0.01' },
  });
  t.match(group, {
    value: 'Group A',
    furtherValues: ['Group B'],
    status: 'corrected',
    valueCode: { text: 'Group A' },
  });
  t.match(text, { value: 'one & two ^ three', furtherValues: ['more'] });
  t.equal(second?.observations[0]?.value, '1,5');
  t.end();
});

t.test('oru - notes stay with what they follow', (t) => {
  const [first, second] = run('oru');
  t.same(
    first?.notes.map((note) => note.text),
    ['about the patient', 'about the report'],
  );
  t.same(
    first?.observations[0]?.notes.map((note) => note.text),
    ['first line\nsecond line'],
  );
  t.same(
    second?.notes.map((note) => note.text),
    ['about the patient'],
  );
  t.end();
});

t.test('oru - a second patient has results of its own', (t) => {
  t.same(
    run('oruPatients').map((event) => [event.patient?.identifiers[0]?.value, event.observations[0]?.value]),
    [
      ['1', '1'],
      ['2', '2'],
    ],
  );
  t.end();
});

t.test('oul - a specimen belongs to the orders after it', (t) => {
  t.same(
    run('oulSpecimen').map((event) => [
      event.order?.filler?.value,
      event.order?.specimen?.identifiers.map((one) => one.value),
      event.order?.specimen?.type?.text,
      event.order?.orderStatus,
      event.observations.length,
    ]),
    [
      ['F1', ['S1', 'S1', 'C1'], 'Serum', 'CM', 1],
      ['F2', ['S1', 'S1', 'C1'], 'Serum', '', 1],
      ['F3', ['S2'], 'Urine', '', 1],
    ],
  );
  t.end();
});

t.test('device - a PCD-01 report names its device', (t) => {
  const event = run('pcd01')[0];
  t.match(event, {
    kind: 'device-observation',
    device: {
      type: { text: 'MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS' },
      path: '1.0.0.0',
      identifiers: [{ value: '0019FF' }],
    },
    provenance: { profiles: ['IHE PCD ORU-R01 2006^HL7^1.3.6.1.4.1.19376.1.6.1.1.1^ISO'] },
  });
  t.match(event?.observations[1], {
    code: { codings: [{ system: 'urn:iso:std:iso:11073:10101', code: '147842' }] },
    value: '60',
    subId: '1.6.1.1',
    status: 'preliminary',
  });
  t.end();
});

t.test(
  'device - a PCD-04 alarm has its phase, state, priority and the same identifier through its phases',
  (t) => {
    t.match(run('pcd04')[0], {
      kind: 'device-alarm',
      alarm: {
        identifier: { value: 'A-6' },
        code: { text: 'MDC_EVT_LO' },
        text: 'Low SpO2',
        phase: 'continue',
        state: 'active',
        priority: 'high',
        type: 'physiological',
        updated: { value: '2026-11-23T08:14:59+01:00' },
      },
    });
    t.end();
  },
);

t.test('orders - one event per order, with its status', (t) => {
  const events = run('orm');
  t.same(
    events.map((event) => [event.kind, event.status, event.order?.control, event.order?.service?.text]),
    [
      ['order', 'requested', 'NW', 'Chest'],
      ['order', 'cancelled', 'CA', 'Head'],
    ],
  );
  t.match(events[0]?.order, { priority: 'S', group: { value: 'G1' }, placer: { value: 'P1', type: 'PLAC' } });
  t.equal(events[0]?.conditions.length, 1);
  t.equal(events[1]?.conditions.length, 0);
  t.match(run('oml')[0]?.order, {
    priority: 'S',
    specimen: { type: { text: 'Serum' } },
    furtherSpecimens: [{ type: { text: 'Blood' } }],
  });
  t.equal(run('orl')[0]?.status, 'accepted');
  t.end();
});

t.test('mdm - the document has its numbers, text and attachment', (t) => {
  const event = run('mdm')[0];
  t.match(event, {
    kind: 'document',
    status: 'final',
    document: {
      identifiers: [{ value: 'D-1' }],
      parent: { value: 'D-0' },
      type: { text: 'Discharge summary' },
      completionStatus: 'AU',
      text: ['First line.', 'Second line.'],
    },
  });
  t.match(event?.observations[2]?.attachment, {
    contentType: 'application/pdf',
    encoding: 'Base64',
    size: 5n,
  });
  t.equal(Buffer.from(event?.observations[2]?.attachment?.data ?? []).toString(), 'Hello');
  const small = run('mdm', testContext({ attachmentBytesMax: 4 }))[0]?.observations[2]?.attachment;
  t.equal(small?.data.length, 0, 'over the limit only size and hash stay');
  t.equal(small?.size, 5n);
  t.equal(small?.hash.length, 64);
  t.end();
});

t.test('siu - the appointment has its time and resources', (t) => {
  t.match(run('siu')[0], {
    kind: 'schedule',
    status: 'booked',
    schedule: {
      placer: { value: 'P1' },
      filler: { value: 'F1' },
      duration: '30',
      durationUnit: 'min',
      period: { start: { value: '2026-11-25T09:00:00+01:00' }, end: { value: '2026-11-25T09:30:00+01:00' } },
      resources: [
        { kind: 'service', code: { text: 'Consultation' } },
        { kind: 'person', person: { name: { family: 'ARZT' } } },
        { kind: 'location', location: { pointOfCare: 'AMB' } },
      ],
    },
    notes: [{ text: 'bring the letters' }],
  });
  t.end();
});

t.test('rx - an order, what the pharmacy made of it, and what was given', (t) => {
  const [first, second] = run('rde');
  t.match(first, {
    kind: 'medication',
    status: 'requested',
    medication: {
      act: 'encoded-order',
      code: { text: 'Ibuprofen 400' },
      amountMinimum: '400',
      unit: 'mg',
      prescription: { value: 'RX-9' },
      routes: [{ codings: [{ code: 'PO' }] }],
    },
    furtherMedications: [{ act: 'order', code: { text: 'Ibuprofen' } }],
    order: { timing: [{ repeat: 'TID' }], priority: 'R' },
    notes: [{ text: 'caution' }],
  });
  t.equal(second?.medication?.code?.text, 'Paracetamol');
  const given = run('ras');
  t.same(
    given.map((event) => [
      event.medication?.act,
      event.status,
      event.order?.placer?.value,
      event.times?.observed?.value,
    ]),
    [
      ['administration', 'completed', 'P1', '2026-11-23T08:00:00+01:00'],
      ['administration', 'completed', 'P1', '2026-11-23T12:00:00+01:00'],
    ],
  );
  t.end();
});

t.test('vxu - one event per vaccination, refusals included', (t) => {
  const [first, second] = run('vxu');
  t.match(first, {
    kind: 'immunization',
    status: 'completed',
    immunization: {
      vaccine: { codings: [{ system: 'http://hl7.org/fhir/sid/cvx', code: '208' }] },
      doseAmount: '0.3',
      lotNumber: 'LOT7',
      expires: { value: '2027-01-01' },
      route: { codings: [{ code: 'IM' }] },
      identifier: { value: 'I1' },
    },
    relatedPersons: [{ relationship: { text: 'Mother' } }],
  });
  t.equal(first?.observations.length, 1);
  t.match(second?.immunization, { completionStatus: 'NA', refusalReasons: [{ text: 'Refused' }] });
  t.end();
});

t.test('finance - charges, guarantors and coverage', (t) => {
  t.match(run('dft')[0], {
    kind: 'charge',
    charge: {
      items: [
        {
          identifier: { value: 'T1' },
          amountExtended: '120 EUR',
          quantity: '1',
          diagnoses: [{ text: 'Pneumonia' }],
        },
        { code: { text: 'X-ray' }, quantity: '2' },
      ],
      guarantors: [{ name: { family: 'MUSTER', given: ['MAX'] } }],
    },
    coverages: [{ companyName: 'AOK Nordost', groupNumber: 'GRP' }],
  });
  t.match(run('bar')[0], { kind: 'charge', charge: { account: { value: 'A-5' } }, conditions: [{}] });
  t.end();
});

t.test('ref - referrals, problems and master files', (t) => {
  t.match(run('ref')[0], {
    kind: 'referral',
    status: 'requested',
    referral: {
      originating: { value: 'R-1' },
      effective: { value: '2026-11-23' },
      participants: [
        { role: 'Referring', person: { identifiers: [{ value: '77' }], name: { family: 'ARZT' } } },
      ],
    },
  });
  t.match(run('ppr')[0], {
    kind: 'problem',
    conditions: [{ action: 'AD', status: { text: 'Active' }, onset: { value: '2026-11-20' } }],
  });
  t.match(run('mfn')[0], { kind: 'master-file', masterFile: { event: 'UPD', entries: ['S-77^HOSP'] } });
  t.end();
});

t.test('codes - a table of the config adds a coding and keeps the original', (t) => {
  const context = testContext({
    codes: {
      lookup: (system, code) =>
        system === 'L' && code === 'CRP'
          ? { system: 'http://loinc.org', code: '1988-5', display: 'CRP', table: 'lab-loinc' }
          : undefined,
      policy: () => undefined,
    },
    authorities: new Map([['HOSP', 'https://hosp.example/mrn']]),
  });
  const event = run('oru', context)[1];
  t.match(event?.order?.service?.codings, [
    { system: 'urn:hilum:lab:L', code: 'CRP', mapped: false, name: 'L' },
    { system: 'http://loinc.org', code: '1988-5', mapped: true },
  ]);
  t.same(event?.provenance?.rules, ['hl7v2/oru', 'code-table/lab-loinc']);
  t.equal(event?.patient?.identifiers[0]?.system, 'https://hosp.example/mrn');
  t.end();
});

t.test('refusals - say what was wrong and never what was in it', (t) => {
  const head = (type: string): string => `MSH|^~\\&|A|B|C|D|2026||${type}|1|P|2.5`;
  const wanted: [string[], string][] = [
    [[''], 'no-msh'],
    [['EVN|A01', 'PID|1||SECRET'], 'no-msh'],
    [['MSH|^~'], 'no-msh'],
    [['MSH|&&&&|SECRET|'], 'bad-delimiters'],
    [[head('ABC^XYZ'), 'PID|1||SECRET'], 'not-understood'],
    [[head('SECRETSECRET^XYZ'), 'PID|1||SECRET'], 'not-understood'],
    [[head(''), 'PID|1||SECRET'], 'not-understood'],
    [[head('QBP^Q22'), 'QPD|SECRET'], 'query'],
    [[head('ACK'), 'MSA|AA|SECRET'], 'query'],
    [[head('ADT^A01')], 'nothing-in-it'],
    [[head('ORU^R01'), 'PID|', 'OBR|', 'OBX|'], 'nothing-in-it'],
    [['FHS|^~\\&|XS', 'BHS|^~\\&|XS', 'BTS|0', 'FTS|0'], 'nothing-in-it'],
    [[head('ADT^A01'), 'EVN|A01|2026'], 'nothing-in-it'],
    [[head('ORU^R01'), 'PID|1||SECRET', 'DSC|SECRET|F'], 'continuation'],
  ];
  for (const [lines, code] of wanted) {
    const { events, reject } = refuse(...lines);
    t.equal(reject?.code, code, lines[0] ?? '');
    t.equal(events.length, 0);
    t.notMatch(reject?.reason, /SECRET/);
    t.match(reject?.reason, /\.$/);
  }
  t.end();
});

t.test('batch - the good messages are events beside the reject of the bad one', (t) => {
  const one = samples.a01.trimEnd();
  const { events, reject } = refuse('BHS|^~\\&', one, 'MSH|^~', one, 'BTS|3');
  t.equal(events.length, 2);
  t.match(reject, { code: 'no-msh', reason: /^Message 2 of 3: / });
  t.end();
});

t.test('normalize - a mapping that throws costs the record alone', (t) => {
  const codes = {
    lookup: (): never => {
      throw new TypeError('SECRET');
    },
    policy: () => undefined,
  };
  const { events, reject } = normalizeHl7v2(Buffer.from(samples.oru), testContext({ codes }));
  t.equal(events.length, 0);
  t.equal(reject?.code, 'mapping-failed');
  t.match(
    reject?.reason,
    /failed on this message \(TypeError at gateway\/normalize\/[a-z0-9/-]+\.(js|ts):\d+\)/,
  );
  t.notMatch(reject?.reason, /SECRET/);
  t.end();
});

t.test('mdm - what becomes of a document is said by its trigger, its availability and its status', (t) => {
  const txa = (fields: Record<number, string>) => seg('TXA', { 1: '1', 2: 'DS', 12: 'D2', ...fields });
  const told = (trigger: string, fields: Record<number, string>): [string | undefined, string[]] => {
    const { events } = refuse(...header(`MDM^${trigger}`), txa(fields));
    return [events[0]?.status, events[0]?.supersedes.map(({ value }) => value) ?? []];
  };
  // T09 and T10 replace their parent [HL7 9.6.9]; an addendum (T06) has one beside it.
  t.same(told('T09', { 13: 'D1', 17: 'AU' }), ['corrected', ['D1']]);
  t.same(told('T10', { 13: 'D1', 17: 'IP' }), ['preliminary', ['D1']]);
  t.same(told('T06', { 13: 'D1', 17: 'AU' }), ['final', []]);
  t.same(told('T11', { 17: 'AU' }), ['cancelled', []]);
  t.same(told('T08', { 17: 'AU', 19: 'CA' }), ['cancelled', []]);
  t.end();
});

t.test('continuation - a pointer in a message that is whole is a number of the sender', (t) => {
  const head = `MSH|^~\\&|A|B|C|D|20261123||ADT^A01|1|P|2.5||17`;
  const software = 'SFT|Vendor|1.0|Product|B1';
  const { events } = refuse(head, software, 'EVN|A01|20261123', 'PID|1||7');
  t.same(events[0]?.provenance?.remarks, ['MSH-14: a continuation pointer in a message that is whole']);
  t.equal(refuse(head, software, 'OBX|2|NM|K^K^L||4.1||||||F').reject?.code, 'continuation');
  t.end();
});
