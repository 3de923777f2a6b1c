/** The sender's ledger and the check of what arrived against it. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkDelivery, type Received, summaryOf } from './delivery.ts';
import { entryOf, readLedger, SenderLedger, sha256 } from './ledger.ts';
import { messageMaker, type TestMessage } from './messages.ts';

const folder = t.testdir();
const make = messageMaker({ seed: 1, kind: 'oru', patients: 3 });
const arrived = ({ bytes, controlId }: TestMessage): Received => ({ sha256: sha256(bytes), controlId });
const messages = Array.from({ length: 10 }, (_, n) => make(n));

let files = 0;
/** A ledger in which each message was sent and answered before the next. */
function ledgerOf(sent: readonly TestMessage[], code: string | null = 'AA', connection?: string) {
  const path = join(folder, `ledger-${files++}`);
  const ledger = new SenderLedger(path);
  for (const message of sent) {
    const more = connection === undefined ? {} : { connection };
    ledger.sentSync([entryOf(message, { source: 'lab', key: message.patientId, ...more })]);
    if (code !== null) ledger.answered(message.n, code);
  }
  ledger.close();
  return readLedger(path);
}

t.test('ledger - what was sent is read back with its answers', async (t) => {
  const content = ledgerOf(messages);
  t.equal(content.sent.length, 10);
  t.match(content.sent[3]!, { n: 3, controlId: messages[3]!.controlId, bytes: messages[3]!.bytes.length });
  t.strictSame(content.answers[3], { n: 3, code: 'AA', line: 7 });
});

t.test('ledger - sends that wait together share a flush, and all are on disk', async (t) => {
  const path = join(folder, 'group');
  const ledger = new SenderLedger(path);
  await Promise.all(messages.map((message) => ledger.sent(entryOf(message))));
  t.equal(readLedger(path).sent.length, 10, 'readable before the close');
  ledger.answered(9, 'CA');
  ledger.close();
  t.equal(readLedger(path).answers.length, 1);
});

t.test('ledger - a torn last line is a send that never happened', async (t) => {
  const path = join(folder, 'torn');
  const ledger = new SenderLedger(path);
  ledger.sentSync([entryOf(messages[0]!)]);
  ledger.close();
  appendFileSync(path, '{"n":1,"controlId":"O00');
  t.equal(readLedger(path).sent.length, 1);
  appendFileSync(path, '\n{}\n');
  t.throws(() => readLedger(path), 'a bad line inside is an error');
});

t.test('delivery - all there, once, in order', async (t) => {
  const report = checkDelivery(ledgerOf(messages), messages.map(arrived));
  t.match(report, { sent: 10, answered: 10, unanswered: 0, unknown: 0 });
  t.match(summaryOf(report), /lost 0 doubled 0 altered 0 unknown 0 order breaks 0/);
});

t.test('delivery - lost, doubled, altered and unknown are told apart', async (t) => {
  const changed = Buffer.from(messages[4]!.bytes);
  changed[changed.length - 5]! ^= 1;
  const received = [
    ...messages.filter(({ n }) => n !== 2 && n !== 4).map(arrived),
    arrived(messages[7]!),
    { sha256: sha256(changed), controlId: messages[4]!.controlId },
    { sha256: sha256(Buffer.from('stranger')), controlId: 'NOBODY' },
  ];
  const report = checkDelivery(ledgerOf(messages), received);
  t.strictSame(report.lost, [messages[2]!.controlId, messages[4]!.controlId]);
  t.strictSame(report.doubled, [messages[7]!.controlId]);
  t.strictSame(report.altered, [messages[4]!.controlId]);
  t.equal(report.unknown, 1);
});

t.test('delivery - an unanswered message may be there or not, a refused one is not missed', async (t) => {
  const silent = checkDelivery(ledgerOf(messages, null), [arrived(messages[0]!)]);
  t.match(silent, { unanswered: 10, unansweredButThere: 1, lost: [], answered: 0 });
  const refused = checkDelivery(ledgerOf(messages, 'AE'), []);
  t.match(refused, { refused: 10, lost: [], answered: 0, unanswered: 0 });
});

t.test('delivery - order counts per patient, and per lane where lanes are known', async (t) => {
  const patient = messages.filter(({ patientId }) => patientId === messages[0]!.patientId);
  t.ok(patient.length >= 2, 'three patients share ten messages');
  const others = messages.filter((message) => !patient.includes(message));
  const ledger = ledgerOf(messages);
  const mixed = checkDelivery(ledger, [...others, ...patient].map(arrived));
  t.strictSame(mixed.orderBreaks, [], 'patients may overtake each other');
  const turned = checkDelivery(
    ledger,
    [patient[1]!, patient[0]!, ...patient.slice(2), ...others].map(arrived),
  );
  t.strictSame(turned.orderBreaks, [
    { source: 'lab', key: patient[0]!.patientId, earlier: patient[0]!.n, later: patient[1]!.n },
  ]);
  const lanes = [
    { ...arrived(patient[1]!), lane: 'stat' },
    { ...arrived(patient[0]!), lane: 'routine' },
  ];
  t.strictSame(checkDelivery(ledger, lanes).orderBreaks, []);
  const placed = patient
    .map((message, index) => ({ ...arrived(message), position: BigInt(index) }))
    .reverse();
  t.strictSame(checkDelivery(ledger, placed).orderBreaks, [], 'positions stand above the order of iteration');
});

t.test('delivery - without answers, only sends over one connection are ordered', async (t) => {
  const [a, b] = messages.filter(({ patientId }) => patientId === messages[0]!.patientId) as [
    TestMessage,
    TestMessage,
  ];
  const one = ledgerOf([a, b], null, 'c1');
  t.equal(checkDelivery(one, [arrived(b), arrived(a)]).orderBreaks.length, 1);
  const again = ledgerOf([a, b, a], null, 'c1');
  t.equal(checkDelivery(again, [arrived(b), arrived(a)]).orderBreaks.length, 0, 'a was sent again');
});

t.test('delivery - equal bytes are one message over MLLP and several readings over MQTT', async (t) => {
  const same = { ...messages[0]!, n: 99 };
  const ledger = ledgerOf([messages[0]!, same]);
  t.strictSame(checkDelivery(ledger, [arrived(same)]).lost, []);
  t.equal(checkDelivery(ledger, [arrived(same), arrived(same)]).doubled.length, 1);
  t.equal(checkDelivery(ledger, [arrived(same)], { equalBytes: 'each' }).lost.length, 1);
  t.equal(checkDelivery(ledger, [arrived(same), arrived(same)], { equalBytes: 'each' }).doubled.length, 0);
});
