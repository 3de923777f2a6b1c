/** What waits in a journal is told to its end by the acknowledgments alone: nothing else has to happen at the site. */
import t from 'tap';
import { Reporting } from '../../gateway/uplink/reports.ts';
import type { Frame } from '../../gateway/uplink/session.ts';
import { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
import { Telemetry } from '../../proto/gen/hilum/v1/session.ts';
import { closeJournal, type OpenedJournal, openJournal } from '../kit/journal.ts';
import { folderOf } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

const count = 450;

async function quarantine({ journal }: OpenedJournal): Promise<void> {
  for (let n = 1; n <= count; n += 1)
    await journal.append({
      source: 'lab',
      protocol: 'mllp',
      raw: Buffer.from(`text ${n}`),
      capturedAtUs: 1n,
      messageControlId: `Q${n}`,
      classGuess: 'routine',
    });
  const rows = journal.take('routine', 1_000, 1024 ** 2);
  const rejects = rows
    .flatMap(({ records }) => records)
    .map(({ sequence, source }) => {
      const facts = { source: 'lab', code: 'no-msh', recordSequence: BigInt(sequence) };
      const entry = QuarantineEntry.fromPartial(facts);
      return { sequence, source, capturedS: 0, record: Buffer.from([]), entry };
    });
  journal.finish(rows, [{ lanes: [], rejects, deliveries: [] }]);
}

t.test('reports - a long list of each kind is told on a quiet site', async (t) => {
  const opened = await openJournal(folderOf(t));
  t.teardown(() => closeJournal(opened));
  const { reports } = opened.journal;
  await quarantine(opened);
  await Promise.all(Array.from({ length: count }, () => reports.audit({ action: 'viewed' })));
  await until(() => reports.numbers().quarantine === count, { what: 'the quarantine' });

  const told: Record<'quarantine' | 'audit', bigint[]> = { quarantine: [], audit: [] };
  const unanswered: (() => void)[] = [];
  const hooks = {
    telemetry: () => Telemetry.create(),
    details: () => [],
    takeRepeats: () => [],
  };
  const reporting = new Reporting(reports, hooks, (frame: Frame) => {
    if (frame.$case !== 'quarantine' && frame.$case !== 'audit') return;
    const numbers = frame.value.entries.map(({ number }) => number);
    told[frame.$case].push(...numbers);
    const through = numbers.at(-1) ?? 0n;
    unanswered.push(() =>
      frame.$case === 'audit' ? reporting.auditAcked(through) : reporting.quarantineAcked(through),
    );
  });
  reporting.resume({ takesPartialReports: true });
  reporting.sendEntries();
  for (let asked = 0; asked < 3; asked += 1) reporting.sendEntries();
  t.same([told.quarantine.length, told.audit.length], [200, 200], 'one frame of each is out at a time');
  // As the uplink does it: an ack, and then what there is to send.
  for (let answer = unanswered.shift(); answer !== undefined; answer = unanswered.shift()) {
    answer();
    reporting.sendEntries();
  }
  const all = Array.from({ length: count }, (_, at) => BigInt(at + 1));
  t.same(told, { quarantine: all, audit: all }, 'each of them once');
  t.same(reports.told(), { quarantine: count, audit: count, deliveries: 0 });
});
