/** What became of an alarm's notification: IHE PCD-05, ORU^R41. */
import t from 'tap';
import { guessHl7v2 } from '../../gateway/capture/urgency.ts';
import { normalize } from '../../gateway/normalize/normalize.ts';
import { compileClassifier } from '../../gateway/prioritize/classify.ts';
import { configSchema } from '../../proto/config/schema.ts';
import { toBundle } from '../../proto/fhir/bundle.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { JournalRecord } from '../../proto/gen/hilum/v1/journal.ts';
import { er7, testContext } from './context.ts';

const accepted =
  'PRT|1|AD|Accepted^^|AAP^Alert Acknowledging Provider^HL70912|77^Nurse^Nan|||||PHONE-9^ACME|20261120101540-0500||||^PRN^PH^^^^5551';

function message(trigger: string, { flags = 'H~PH~SP', phase = 'start' }, ...rest: string[]): Buffer {
  return er7(
    `MSH|^~\\&|GW^00A0^EUI-64|W1|||20261120101530-0500||ORU^${trigger}^ORU_${trigger}|M1|P|2.6|||||||||IHE_PCD_ACM_001^IHE PCD`,
    'PID|||4711^^^HOSP^MR||MUSTER^ERIKA',
    'OBR|1|A1^GW|A1^GW|196616^MDC_EVT_ALARM^MDC|||20261120101500-0500',
    'OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||MON-12^ACME',
    `OBX|2|ST|196648^MDC_EVT_HI^MDC|1.1.1.1.1|HR HIGH|||${flags}|||F|||20261120101500-0500`,
    `OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.3|${phase}||||||F`,
    'OBX|4|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.1.1.1.4|active||||||F',
    'OBX|5|ST|68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC|1.1.1.1.5|enabled||||||F',
    ...rest,
  );
}

function run(raw: Buffer): ClinicalEvent {
  const { events, reject } = normalize(JournalRecord.fromPartial({ protocol: 'mllp', raw }), testContext());
  if (reject !== undefined) throw new Error(reject.reason);
  return events[0] as ClinicalEvent;
}

t.test('pcd-05 - a status of the notification is no start of its alarm, and no phase of it', async (t) => {
  const alarm = run(message('R40', {})).alarm;
  t.match(alarm, { phase: 'start', state: 'active', inactivation: 'enabled', notification: undefined });
  for (const phase of ['start', 'end', 'escalate', '']) {
    const { kind, alarm: told, provenance } = run(message('R41', { phase }, accepted));
    t.equal(kind, 'device-alarm', phase);
    t.match(told, { phase: 'update', state: '', inactivation: '', priority: 'high', text: 'HR HIGH' }, phase);
    t.same(told?.identifier, alarm?.identifier, 'of the same alarm');
    t.match(provenance?.remarks, [
      'ORU^R41: a status of the notification, the phase and the state in its rows are those that were notified',
    ]);
  }
  t.match(run(message('R41', {})).alarm, { phase: 'update', notification: { participants: [] } }, 'no PRT');
});

t.test(
  'pcd-05 - who did what with the notification, when and by what, and nothing of it measured',
  async (t) => {
    const read =
      'PRT|2|AD|Read|AAP^Alert Acknowledging Provider^HL70912|78^Nurse^Nora||||||20261120101535-0500';
    const event = run(message('R41', {}, accepted, read));
    t.match(event.alarm, {
      raised: { value: '2026-11-20T10:15:00-05:00' },
      updated: { value: '2026-11-20T10:15:40-05:00' },
      notification: {
        participants: [
          {
            role: 'Alert Acknowledging Provider',
            reason: { codings: [{ code: 'Accepted' }] },
            person: { name: { family: 'Nurse', given: ['Nan'] } },
            devices: [{ value: 'PHONE-9' }],
            telecoms: [{ value: '5551' }],
            period: { start: { value: '2026-11-20T10:15:40-05:00' } },
          },
          { reason: { codings: [{ code: 'Read' }] }, person: { name: { given: ['Nora'] } } },
        ],
      },
    });
    t.same(
      event.observations.map(({ performers }) => performers.length),
      [0, 0, 0, 0, 0],
    );
    t.same(
      event.device?.identifiers.map(({ value }) => value),
      ['MON-12'],
      'the telephone is not the monitor',
    );
  },
);

t.test('pcd-05 - what a device is stays with its row', async (t) => {
  const equipment = 'PRT|1|AD||EQUIP^Equipment^HL70912||||||P-9^ACME';
  const event = run(message('R41', {}, equipment, accepted));
  t.same(
    event.observations[4]?.equipment.map(({ value }) => value),
    ['P-9'],
  );
  t.equal(event.alarm?.notification?.participants.length, 1);
});

t.test('pcd-05 - evidence is no alarm, and who stands behind it is kept with its order', async (t) => {
  const raw = message(
    'R41',
    {},
    accepted,
    'OBR|2|E1^GW|E1^GW|182777000^monitoring^SCT|||20261120101500-0500',
    'OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.2|142||||||F',
    accepted,
  );
  const { events } = normalize(JournalRecord.fromPartial({ protocol: 'mllp', raw }), testContext());
  t.same(
    events.map(({ kind, alarm }) => [kind, alarm?.notification?.participants.length]),
    [
      ['device-alarm', 1],
      ['device-observation', undefined],
    ],
  );
  t.match(events[1]?.order?.participants, [{ reason: { codings: [{ code: 'Accepted' }] } }]);
  t.notOk(events[1]?.device?.identifiers.some(({ value }) => value === 'PHONE-9'));
});

t.test('pcd-05 - nobody has to run: it is urgent at most, and the guess says the same', async (t) => {
  const classify = compileClassifier(configSchema.parse({}));
  const of = (trigger: string, flags: string) => {
    const raw = message(trigger, { flags }, accepted);
    return [classify(run(raw)).class, guessHl7v2(raw)];
  };
  t.same(of('R40', 'PH'), ['stat', 'stat']);
  t.same(of('R41', 'PH'), ['urgent', 'urgent']);
  t.same(of('R41', 'PM'), ['urgent', 'urgent']);
  t.same(of('R41', 'PL'), ['routine', 'routine'], 'it never comes before its alarm');
  t.same(of('R41', ''), ['urgent', 'urgent']);
});

t.test('pcd-05 - FHIR tells who accepted it, at the time of the alarm and without a state', async (t) => {
  const entries = toBundle(run(message('R41', {}, accepted))).entry.map(({ resource }) => resource);
  const told = entries.find(({ identifier }) => JSON.stringify(identifier ?? '').includes('A1'));
  t.match(told, {
    resourceType: 'Observation',
    effectiveDateTime: '2026-11-20T10:15:00-05:00',
    note: [
      {
        authorReference: { display: 'Nan Nurse' },
        time: '2026-11-20T10:15:40-05:00',
        text: 'Accepted, Alert Acknowledging Provider, 5551',
      },
    ],
  });
  const words = JSON.stringify(told?.component);
  t.match(words, /"update"/);
  t.notMatch(words, /"start"|"active"/);
});
