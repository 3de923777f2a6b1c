/** The table of persons: what was normalized before a merge is read as it is known by now, what is stored stays. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { toClinicalEvent } from '../../control-plane/eventlog/clinical.ts';
import { EventLog } from '../../control-plane/eventlog/eventlog.ts';
import { Overtaken } from '../../control-plane/eventlog/overtaken.ts';
import { Persons } from '../../control-plane/persons/persons.ts';
import { openLmdbStore } from '../../control-plane/store/lmdb-store.ts';
import type { Store } from '../../control-plane/store/store.ts';
import { ClinicalEvent, type Identifier } from '../../proto/gen/hilum/v1/event.ts';
import { Batch, Envelope } from '../../proto/gen/hilum/v1/session.ts';
import { below, seededRandom, seedOfThisRun } from '../kit/random.ts';
import { adt, lab } from '../normalize/memory/adt.ts';
import { epoch, Rows, take } from '../normalize/memory/site.ts';

const key = Buffer.alloc(32, 1);
const cx = (value: string) => `${value}^^^HOSP&1.2.4&ISO^MR`;
const values = (identifiers: readonly Identifier[] | undefined) =>
  (identifiers ?? []).map(({ value }) => value).sort();

/** A gateway with its memory, and a centre that gets what it made when the test says so. */
class Line {
  readonly gateway: string;
  readonly rows = new Rows();
  readonly waiting: Uint8Array[] = [];
  #sequence = 0;
  #sent = 0;

  constructor(gateway = 'g') {
    this.gateway = gateway;
  }

  take(raw: Buffer, source = 'adt'): void {
    this.#sequence += 1;
    const [event] = take(this.rows, this.#sequence, raw, source);
    if (event === undefined) throw new Error('no event');
    const envelope = Envelope.fromPartial({
      recordEpoch: epoch,
      recordSequence: BigInt(this.#sequence),
      recordSha256: Buffer.alloc(32, this.#sequence),
      index: 1,
      count: 1,
      source,
      kind: event.kind,
      capturedAtUs: 1_764_000_000_000_000n + BigInt(this.#sequence),
      event: ClinicalEvent.encode(event).finish(),
    });
    this.waiting.push(Envelope.encode(envelope).finish());
  }

  merge(from: string, into: string): void {
    this.take(adt({ trigger: 'A40', ids: cx(into), mrg: cx(from) }));
  }

  async send(log: EventLog, lane = 'routine'): Promise<void> {
    const envelopes = this.waiting.splice(0);
    const firstSequence = BigInt(this.#sent + 1);
    this.#sent += envelopes.length;
    const batch = Batch.fromPartial({ epoch, lane, firstSequence, envelopes: envelopes as Buffer[] });
    const { outcome } = await log.append(this.gateway, 's', batch);
    if (outcome !== 'applied') throw new Error(outcome);
  }
}

interface Centre {
  store: Store;
  log: EventLog;
  persons: Persons;
  read(): Promise<ClinicalEvent[]>;
}

async function open(directory: string): Promise<Centre> {
  const store = await openLmdbStore({ directory, key, onFault: () => undefined });
  const persons = new Persons(store, key);
  const log = new EventLog(store, key, () => 1n, [persons]);
  const overtaken = new Overtaken(store, () => []);
  const completes = { persons, overtaken, eventLog: log };
  await persons.open();
  await log.open();
  const read = async () =>
    Promise.all((await log.read(0n, 10_000)).map((event) => toClinicalEvent(event, completes)));
  return { store, log, persons, read };
}

t.test('persons - an event that waited while its patient was merged is read with the survivor', async (t) => {
  const directory = t.testdir();
  const { store, log, read } = await open(directory);
  const line = new Line();
  line.take(lab({ ids: cx('A') }), 'lab');
  line.merge('A', 'B');
  line.take(lab({ ids: cx('A') }), 'lab');
  await line.send(log);
  const check = async (events: ClinicalEvent[]) => {
    const [before, , after] = events;
    t.same(values(before?.patient?.identifiers), ['A'], 'what was said stays');
    t.match(before?.identityLinks, [
      {
        said: [{ value: 'A' }],
        surviving: [{ value: 'B' }],
        merge: { epoch, sequence: 2n },
        kind: 'merge',
        addedAtCentre: true,
      },
    ]);
    t.match(after?.identityLinks, [{ merge: { sequence: 2n }, addedAtCentre: false }]);
  };
  await check(await read());
  const [stored] = await log.read(0n, 1);
  t.same(
    ClinicalEvent.decode(stored?.envelope.event as Uint8Array).identityLinks,
    [],
    'what is stored is as it came',
  );
  await store.close();
  const again = await open(directory);
  await check(await again.read());
  await again.store.close();
});

t.test(
  'persons - a merge of the survivor reaches what was read before, an unlink says what it undid',
  async (t) => {
    const { store, log, read } = await open(t.testdir());
    const line = new Line();
    line.merge('A', 'B');
    line.take(lab({ ids: cx('A') }), 'lab');
    await line.send(log);
    line.merge('B', 'C');
    await line.send(log);
    const [, further] = await read();
    t.match(further?.identityLinks, [
      { surviving: [{ value: 'C' }], further: [{ sequence: 3n }], addedAtCentre: true },
    ]);
    t.equal(further?.identityLinks.length, 1);
    line.take(adt({ trigger: 'A37', ids: cx('A'), other: cx('B') }));
    await line.send(log);
    const [, undone] = await read();
    t.match(undone?.identityLinks, [{ surviving: [{ value: 'B' }], undoneBy: { sequence: 4n } }]);
    await store.close();
  },
);

t.test('persons - what a gateway’s ADT says changes nothing of another gateway’s patients', async (t) => {
  const { store, log, read } = await open(t.testdir());
  const [one, other] = [new Line('g'), new Line('h')];
  other.take(lab({ ids: cx('A') }), 'lab');
  await other.send(log);
  one.merge('A', 'B');
  await one.send(log);
  t.same((await read())[0]?.identityLinks, []);
  await store.close();
});

t.test('persons - a merge that its gateway refused is not followed', async (t) => {
  const { store, log, read } = await open(t.testdir());
  const line = new Line();
  line.take(lab({ ids: cx('B') }), 'lab');
  line.merge('A', 'B');
  line.merge('B', 'A');
  await line.send(log);
  t.same((await read())[0]?.identityLinks, []);
  await store.close();
});

t.test('persons - merges that arrive in another order than they came give the same', async (t) => {
  // As in two lanes, one of which has a backlog.
  const turned = async (fill: (line: Line) => void) => {
    const { store, log, read } = await open(t.testdir());
    const line = new Line();
    fill(line);
    line.waiting.reverse();
    await line.send(log);
    const events = await read();
    await store.close();
    return events.filter(({ kind }) => kind === 'observation');
  };
  const [again] = await turned((line) => {
    line.take(lab({ ids: cx('A') }), 'lab');
    line.merge('A', 'B');
    line.merge('A', 'C');
  });
  t.match(
    again?.identityLinks,
    [{ surviving: [{ value: 'C' }], merge: { sequence: 3n } }],
    'the later merge',
  );
  const [parted] = await turned((line) => {
    line.take(lab({ ids: cx('A') }), 'lab');
    line.merge('A', 'B');
    line.take(adt({ trigger: 'A37', ids: cx('A'), other: cx('B') }));
  });
  t.same(parted?.identityLinks, [], 'what was undone before it arrived');
});

t.test('persons - of a merge that was refused in part the rest is followed', async (t) => {
  const { store, log, read } = await open(t.testdir());
  const line = new Line();
  line.take(lab({ ids: cx('B'), account: 'ACC1' }), 'adt');
  line.merge('A', 'B');
  line.take(adt({ trigger: 'A18', ids: cx('A'), mrg: cx('B'), account: 'ACC2', mrgAccount: 'ACC1' }));
  await line.send(log);
  t.match((await read())[0]?.identityLinks, [{ what: 'account', surviving: [{ value: 'ACC2' }] }]);
  t.equal((await read())[0]?.identityLinks.length, 1);
  await store.close();
});

t.test('persons - nothing of a merge can be read on the disk', async (t) => {
  const directory = t.testdir();
  const { store, log } = await open(directory);
  const line = new Line();
  line.merge('CANARYONE', 'CANARYTWO');
  await line.send(log);
  await store.close();
  const file = readFileSync(join(directory, 'data.mdb'), 'latin1');
  for (const word of ['CANARYONE', 'CANARYTWO']) t.notOk(file.includes(word), word);
});

t.test(
  'persons - however it is cut into batches, the centre follows what the gateway would follow now',
  async (t) => {
    const seed = seedOfThisRun();
    t.comment(`seed ${seed}`);
    const random = seededRandom(seed);
    const people = ['A', 'B', 'C', 'D', 'E', 'F'];
    const pick = () => people[below(random, people.length)] as string;
    for (let round = 0; round < 5; round += 1) {
      const { store, log, read } = await open(t.testdir());
      const line = new Line();
      for (let step = 0; step < 40; step += 1) {
        const [one, other] = [pick(), pick()];
        const dice = below(random, 6);
        if (dice < 2) line.take(lab({ ids: cx(one) }), 'lab');
        else if (dice === 2 && one !== other)
          line.take(adt({ trigger: 'A37', ids: cx(one), other: cx(other) }));
        else line.merge(one, other);
        if (below(random, 4) === 0) await line.send(log);
      }
      // What a result under each identifier would say now.
      for (const one of people) line.take(lab({ ids: cx(one) }), 'lab');
      await line.send(log);
      const events = await read();
      const now = new Map(
        events
          .slice(-people.length)
          .map((event) => [event.patient?.identifiers[0]?.value, survivingOf(event)]),
      );
      for (const event of events) {
        if (event.kind !== 'observation') continue;
        const said = event.patient?.identifiers[0]?.value;
        t.same(survivingOf(event), now.get(said), `round ${round}: ${said}`);
        t.ok(event.identityLinks.filter(({ undoneBy }) => undoneBy === undefined).length <= 1);
      }
      for (const event of events.slice(-people.length))
        t.notOk(
          event.identityLinks.some(({ addedAtCentre }) => addedAtCentre),
          'the gateway had it all',
        );
      await store.close();
    }
  },
);

function survivingOf({ identityLinks }: ClinicalEvent): string[] {
  return identityLinks.flatMap((link) => (link.undoneBy === undefined ? values(link.surviving) : []));
}
