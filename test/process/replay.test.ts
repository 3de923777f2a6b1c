/** A record of which a part was refused: what went out of it does not go out again when it is replayed. */
import t from 'tap';
import { Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { envelopesOf } from '../../proto/wire.ts';
import { until } from '../kit/wait.ts';
import { openPipeline, parsed } from './open-pipeline.ts';

const config = (fieldBytesMax: number) => `sources: { lab: { listener: mllp } }
limits: { fieldBytesMax: ${fieldBytesMax} }
destinations: { ehr: { type: mllp, address: 127.0.0.1:1 } }
routes: { all: { when: 'true', to: [ehr] } }
`;

const message = (id: string, note: string) =>
  [
    `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01^ORU_R01|${id}|P|2.5.1`,
    'PID|1||4711^^^HOSP^MR||CANARYPATIENT^JANE',
    'OBR|1||F1|2823-3^Potassium^LN',
    'OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|||||F',
    `ZNT|1||${note}`,
    '',
  ].join('\r');

t.test('replay - of a frame with good and bad messages only what is missing goes out', async (t) => {
  const { journal, pipeline } = await openPipeline(t);
  pipeline.setConfig(parsed(config(2_000)), 1);
  pipeline.start();
  const raw = ['A', 'B', 'C'].map((id) => message(id, 'x'.repeat(id === 'B' ? 3_000 : 10))).join('');
  await journal.append({
    source: 'lab',
    protocol: 'mllp',
    raw: Buffer.from(raw),
    capturedAtUs: BigInt(Date.now()) * 1000n,
    classGuess: 'routine',
    messageControlId: 'A',
  });
  const sent = () => {
    const parcel = journal.parcel('routine', 1, 100, 1e6);
    return (parcel?.chunks ?? [])
      .flatMap((chunk) => envelopesOf(chunk))
      .map((bytes) => Envelope.decode(bytes))
      .map(({ messageControlId, index, count }) => `${messageControlId} ${index}/${count}`);
  };
  const settled = async (
    counts: { accepted: number; pending: number; quarantined: number },
    events: number,
  ) => {
    await until(
      () => sent().length === events && journal.custodyTotals()[0]?.counts.pending === counts.pending,
      {
        what: `${events} events`,
        timeoutMs: 60_000,
      },
    );
    t.match(journal.custodyTotals(), [{ counts }]);
    t.match(journal.local.counts(), [{ destination: 'ehr', counts: { accepted: 1 } }]);
  };
  await until(() => journal.quarantined(1), { what: 'it in quarantine', timeoutMs: 60_000 });
  await settled({ accepted: 1, pending: 0, quarantined: 1 }, 2);
  t.same(sent(), ['A 1/2', 'C 2/2']);

  t.equal(await journal.replay(1), 'replayed');
  pipeline.pump();
  await until(() => journal.quarantined(2), { what: 'it again, under the same config', timeoutMs: 60_000 });
  await settled({ accepted: 1, pending: 0, quarantined: 1 }, 2);

  pipeline.setConfig(parsed(config(4_000)), 2);
  t.equal(await journal.replay(2), 'replayed');
  pipeline.pump();
  await settled({ accepted: 1, pending: 1, quarantined: 0 }, 3);
  t.same(sent(), ['A 1/2', 'C 2/2', 'B 1/1']);
});

t.test('replay - of a payload that a template read in part only what is missing goes out', async (t) => {
  const { journal, pipeline } = await openPipeline(t);
  const items = (required: boolean) =>
    parsed(`sources: { bed: { listener: mqtt, payloads: [p] } }
payloads:
  p:
    each: $.items[*]
    device: "@.dev"
    observations:
      - { code: { system: "urn:c", code: hr }, value: "@.hr", required: ${required} }
      - { code: { system: "urn:c", code: t }, value: "@.t", required: false }
`);
  pipeline.setConfig(items(true), 1);
  pipeline.start();
  const raw = Buffer.from(
    JSON.stringify({
      items: [
        { dev: 'a', hr: 60 },
        { dev: 'c', t: 37 },
        { dev: 'b', hr: 61 },
      ],
    }),
  );
  await journal.append({
    source: 'bed',
    protocol: 'mqtt',
    topic: 'beds/1',
    raw,
    capturedAtUs: BigInt(Date.now()) * 1000n,
    classGuess: 'routine',
    messageControlId: '',
  });
  const sent = () =>
    journal
      .lanes()
      .flatMap(({ lane }) => journal.parcel(lane, 1, 100, 1e6)?.chunks ?? [])
      .flatMap((chunk) => envelopesOf(chunk))
      .map((bytes) => Envelope.decode(bytes))
      .map(({ recordSequence, index, count }) => `${recordSequence} ${index}/${count}`);
  await until(() => journal.quarantined(1), { what: 'it in quarantine', timeoutMs: 60_000 });
  await until(() => sent().length === 2, { what: 'what was understood', timeoutMs: 60_000 });
  pipeline.setConfig(items(false), 2);
  t.equal(await journal.replay(1), 'replayed');
  pipeline.pump();
  await until(() => journal.custodyTotals()[0]?.counts.quarantined === 0 && sent().length >= 3, {
    what: 'what was missing',
    timeoutMs: 60_000,
  });
  t.same(sent(), ['1 1/2', '1 2/2', '2 1/1']);
});
