/** How a device came to its patient: what was said is identity, what is derived never is. */
import t from 'tap';
import { compileMeaning } from '../../gateway/meaning-of-text.ts';
import { suggestOccupant } from '../../gateway/normalize/association.ts';
import { normalize } from '../../gateway/normalize/normalize.ts';
import { ClinicalEvent, Identifier, Location } from '../../proto/gen/hilum/v1/event.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { er7 } from './context.ts';

const meaning = compileMeaning(
  `
sources: { home: { listener: mqtt } }
devices:
  kit-7:
    identifier: { value: kit-7 }
    sources: [home]
    patient: { system: "urn:oid:1.2.3", value: P-1, type: MR }
    since: "2026-11-01T00:00:00+01:00"
    until: "2026-12-01T00:00:00+01:00"
  kit-7-later:
    identifier: { value: kit-7 }
    patient: { system: "urn:oid:1.2.3", value: P-2 }
    since: "2026-12-01T00:00:00+01:00"
  mon-12:
    identifier: { system: "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680", value: 0019FF0000000012 }
    location: { unit: ICU, room: "1", bed: "4" }
`,
  1,
);

function run(source: string, raw: object | Buffer, protocol = 'mqtt'): ClinicalEvent {
  const bytes = Buffer.isBuffer(raw) ? raw : Buffer.from(JSON.stringify(raw));
  const capturedAtUs = BigInt(Date.parse('2026-11-23T08:15:00Z')) * 1_000n;
  const record = JournalRecord.fromPartial({ source, protocol, raw: bytes, capturedAtUs });
  const { events, reject } = normalize(record, meaning.contextFor(record));
  if (events[0] === undefined) throw new Error(reject?.reason);
  return events[0];
}

t.test('device association - a patient that the message names is identity', async (t) => {
  const event = run('home', { device: 'kit-7', patient: 'X-9', heartRate: 72, time: '2026-11-23T08:00:00Z' });
  t.match(event, {
    patient: { identifiers: [{ value: 'X-9' }] },
    deviceAssociation: { basis: 'explicit-message', since: undefined, declaredBy: 'kit-7' },
    provenance: { remarks: ['patient: the config declares another one for this device'] },
  });
  t.equal(event.patient?.identifiers.length, 1, 'the declared one is not mixed in');
});

t.test('device association - a declared patient is identity for the declared time', async (t) => {
  const at = (
    time: string | undefined,
    source = 'home',
  ): [string, string | undefined, string | undefined] => {
    const event = run(source, { device: 'kit-7', heartRate: 72, ...(time === undefined ? {} : { time }) });
    const { basis = '', since } = event.deviceAssociation ?? {};
    return [basis, event.patient?.identifiers[0]?.value, since?.value];
  };
  const first = '2026-11-01T00:00:00+01:00';
  t.same(at('2026-11-23T08:00:00Z'), ['declared', 'P-1', first]);
  t.same(at('2026-11-30T23:59:59+01:00'), ['declared', 'P-1', first]);
  t.same(at('2026-12-01T00:00:00+01:00'), ['declared', 'P-2', '2026-12-01T00:00:00+01:00']);
  t.same(at('2026-10-31T08:00:00Z'), ['unassigned', undefined, undefined]);
  t.same(at(undefined), ['declared', 'P-1', first], 'without a time of its own the capture counts');
  t.same(at('2026-11-23T08:00:00Z', 'ward'), ['unassigned', undefined, undefined], 'another source');
  const event = run('home', { device: 'kit-7', heartRate: 72, time: '2026-11-23T08:00:00Z' });
  t.match(event.patient?.identifiers, [{ system: 'urn:oid:1.2.3', value: 'P-1', type: 'MR' }]);
  t.match(event.provenance?.rules, ['device/vitals', 'device/declared-association']);
});

t.test('device association - a declared place is no identity', async (t) => {
  const event = run(
    'ward',
    er7(
      'MSH|^~\\&|GW|W|||20261123081500||ORU^R01|1|P|2.6|||||||||IHE PCD-01',
      'OBR|1||F1|1^X^MDC|||20261123081500',
      'OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||M^A^0019FF0000000012^EUI-64',
      'OBX|2|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|60||||||R',
    ),
    'mllp',
  );
  t.match(event, {
    patient: undefined,
    encounter: undefined,
    deviceAssociation: {
      basis: 'unassigned',
      declaredBy: 'mon-12',
      location: { pointOfCare: 'ICU', room: '1', bed: '4' },
      candidates: [],
    },
  });
});

t.test('device association - events of no device have none', async (t) => {
  const lab = run(
    'lab',
    er7('MSH|^~\\&|L|W|||20261123||ORU^R01|1|P|2.5', 'OBR|1||F1|K^K^L', 'OBX|1|NM|K^K^L||4'),
    'mllp',
  );
  t.equal(lab.deviceAssociation, undefined);
});

t.test(
  'device association - the occupant of a bed is a candidate with an age, never the patient',
  async (t) => {
    const occupancy = {
      patient: [Identifier.fromPartial({ system: 'urn:oid:1.2.3', value: 'P-3' })],
      location: Location.fromPartial({ pointOfCare: 'ICU', bed: '4' }),
      toldAtUs: 1_000_000_000n,
      since: undefined,
    };
    const event = run('ward', { device: 'mon-1', heartRate: 72 });
    suggestOccupant(event, occupancy, 1_090_500_000n);
    t.match(event, {
      patient: undefined,
      deviceAssociation: {
        basis: 'derived-location',
        ageS: 90n,
        candidates: [{ value: 'P-3' }],
        location: { bed: '4' },
      },
    });
    suggestOccupant(event, { ...occupancy, patient: [] }, 0n);
    t.equal(event.deviceAssociation?.candidates.length, 1, 'once told it stands');
    const early = run('ward', { device: 'mon-1', heartRate: 72 });
    suggestOccupant(early, occupancy, 5n);
    t.equal(early.deviceAssociation?.ageS, 0n, 'an occupancy from the future is fresh, not negative');
    for (const known of [
      run('home', { device: 'kit-7', heartRate: 1 }),
      run('ward', { device: 'm', patient: 'A', heartRate: 1 }),
    ]) {
      const before = ClinicalEvent.toJSON(known);
      suggestOccupant(known, occupancy, 1_090_500_000n);
      t.same(ClinicalEvent.toJSON(known), before, 'identity that is there is left alone');
    }
  },
);
