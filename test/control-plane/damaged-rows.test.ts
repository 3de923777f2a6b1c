/** One bit of a row of the control plane turned over: what the row was costs itself, is told, and ends nobody's delivery. */
import { X509Certificate } from 'node:crypto';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { hubOf } from '../../control-plane/hub.ts';
import { Persons } from '../../control-plane/persons/persons.ts';
import { Plane } from '../../control-plane/plane.ts';
import { type Hub, type Line, Sessions } from '../../control-plane/session/sessions.ts';
import { loadSettings } from '../../control-plane/settings.ts';
import { openLmdbStore } from '../../control-plane/store/lmdb-store.ts';
import { readable, type Store } from '../../control-plane/store/store.ts';
import { openEnvironment } from '../../gateway/process/lmdb.ts';
import type { Fields } from '../../gateway/process/log.ts';
import {
  Batch,
  ConfigReport,
  Envelope,
  type GatewayFrame,
  Hello,
  Telemetry,
} from '../../proto/gen/hilum/v1/session.ts';
import { damageKey, damageRow } from '../kit/damage.ts';
import { folderOf } from '../kit/site.ts';
import { until } from '../kit/wait.ts';
import { farAheadUs, incoming, pushed, type Said } from './hub-kit.ts';

interface Told extends Fields {
  readonly code: string;
}

/** The real parts on a folder; nothing listens. */
async function openParts(directory: string) {
  const lines: Told[] = [];
  const log = (_level: string, code: string, fields: Fields = {}) => {
    lines.push({ ...fields, code });
  };
  const settings = loadSettings(directory, undefined).settings;
  const { state } = await Plane.open({ directory, settings, settingsFile: '', log });
  const hub = hubOf(state, log);
  return {
    state,
    hub,
    log,
    /** Lines of the log about rows that are damaged. */
    damaged: () => lines.filter(({ code }) => code === 'row-damaged').map(({ table }) => table),
    lines,
    /** What the trail says of an action. */
    trail: async (wanted: string) =>
      (await state.audit.list(0n, 10_000))
        .filter(({ action }) => action === wanted)
        .map(({ subject, reason }) => `${subject} ${reason}`),
    close: () => state.store.close(),
  };
}

/** A stream of a gateway that has said Hello; what it was told. */
function connect(hub: Hub, lanes: Hello['lanes'] = [{ lane: 'routine', first: 1n, last: 0n }]) {
  const said: Said[] = [];
  let ended = false;
  const line: Line = {
    send: ({ frame }) => {
      if (frame !== undefined) said.push(frame);
    },
    close: () => {
      ended = true;
    },
    peer: '127.0.0.1',
  };
  const peer = { name: 'north', serial: '01', role: 'gateway', expiresAtUs: farAheadUs } as const;
  const session = new Sessions(hub).open(line, peer);
  const say = (frame: GatewayFrame['frame']) => session.receive(incoming(frame));
  say({ $case: 'hello', value: Hello.fromPartial({ gateway: 'north', epoch: 9n, lanes }) });
  const of = <Case extends Said['$case']>($case: Case) =>
    until(
      () =>
        said.find((one): one is Extract<Said, { $case: Case }> => one.$case === $case) ??
        (ended && !said.some((one) => one.$case === $case) ? ('ended' as const) : undefined),
      { what: $case },
    );
  return { say, of, ended: () => ended };
}

/** Events behind each other, each the whole of its record. */
function batch(lane: string, first: number, count: number, firstRecord = first): Batch {
  const envelopes = Array.from({ length: count }, (_, at) => {
    const record = firstRecord + at;
    const facts = { recordEpoch: 9n, recordSequence: BigInt(record), index: 1, count: 1, source: 'lab' };
    const recordSha256 = Buffer.from(`${record}`.padEnd(32, '.'));
    return Envelope.encode(Envelope.fromPartial({ ...facts, recordSha256 })).finish() as Buffer;
  });
  return Batch.fromPartial({ epoch: 9n, lane, firstSequence: BigInt(first), envelopes });
}

/** A folder with three batches of a lane: 1 to 2, 3 to 4, 5 to 6. */
async function filled(t: Test): Promise<string> {
  const directory = folderOf(t);
  const parts = await openParts(directory);
  await parts.state.registry.update('north', { site: 'north', epochs: [9n] });
  for (const first of [1, 3, 5])
    await parts.state.eventLog.append('north', 'north', batch('routine', first, 2));
  await parts.close();
  // A process owns a folder until it ends.
  const copy = folderOf(t);
  cpSync(directory, copy, { recursive: true, filter: (from) => !from.endsWith('.sock') });
  return copy;
}

const storeOf = (directory: string) => join(directory, 'store');

async function rows(directory: string, table: string): Promise<number> {
  const environment = openEnvironment({ directory: storeOf(directory), readOnly: true });
  const count = [...environment.table(table).getKeys({})].length;
  await environment.close();
  return count;
}

for (const table of ['cursors', 'positions', 'events', 'seen']) {
  t.test(`delivery - a damaged row of ${table} is told, and nothing is lost or stored twice`, async (t) => {
    const directory = await filled(t);
    await damageRow(storeOf(directory), table, (await rows(directory, table)) - 1);
    const parts = await openParts(directory);
    const { of, say } = connect(parts.hub);
    t.match(await of('welcome'), { value: { acked: [{ lane: 'routine', sequence: 6n }] } });
    // What was acknowledged last comes again, and something new.
    say({ $case: 'batch', value: batch('routine', 5, 4) });
    t.match(await of('ack'), { value: { lane: 'routine', sequence: 8n } });
    t.equal(parts.state.eventLog.last(), 8n);
    // A record that is complete for a second time is still seen to be so.
    await parts.state.eventLog.append('north', 'north', batch('stat', 1, 1, 2));
    const counts = parts.state.eventLog.counts();
    t.match(
      counts.find(({ source }) => source === 'lab'),
      { records: 8n, doubled: 1n, events: 9n },
    );
    t.same([...new Set(parts.damaged())], [table]);
    t.equal(parts.damaged().length, 1, 'once, however often it is met');
    t.match(await parts.trail('row-damaged'), [new RegExp(`^row [0-9a-f]+ of ${table} checksum$`)]);
    await parts.close();
  });
}

t.test('delivery - what a session fails on is told in the log and in the trail', async (t) => {
  const parts = await openParts(folderOf(t));
  const append = () => Promise.reject(new TypeError('something of the content'));
  const { of, say, ended } = connect({ ...parts.hub, append });
  await of('welcome');
  say({ $case: 'batch', value: batch('routine', 1, 1) });
  await until(ended, { what: 'the end' });
  await until(async () => (await parts.trail('session-failed')).length > 0, { what: 'the trail' });
  t.same(await parts.trail('session-failed'), [' TypeError']);
  t.match(
    parts.lines.filter(({ code }) => code === 'session-failed'),
    [{ gateway: 'north', reason: 'TypeError' }],
  );
  await parts.close();
});

/** Of the gateways in the folder that was furnished last. */
let certificates: string[] = [];

/** A folder with a row, or more, in each of the tables that are read at the start. */
async function furnished(t: Test): Promise<string> {
  certificates = [];
  const directory = folderOf(t);
  const parts = await openParts(directory);
  const { state } = parts;
  for (const [gateway, enrolledAtUs] of [
    ['north', 5n],
    ['west', 6n],
  ] as const) {
    const site = gateway;
    const issued = await state.authority.issue('gateway', gateway, []);
    await state.store.write([state.peers.issued(issued, 'gateway', gateway)]);
    certificates.push(issued.certificatePem);
    await state.registry.update(gateway, { site, enrolledAtUs, epochs: [9n] });
    await state.audit.add({ action: 'enrolled', gateway, site });
  }
  await state.registry.update('north', { revoked: true });
  await state.audit.add({ action: 'revoked', gateway: 'north', reason: 'test' });
  for (const first of [1, 3]) await state.eventLog.append('north', 'north', batch('routine', first, 2));
  await state.eventLog.append('north', 'north', batch('stat', 1, 1, 2));
  for (const text of ['sources: {}', 'sources: { lab: { listener: lab } }']) {
    const { version, hash } = await pushed(state, 'north', text);
    await state.audit.add({
      action: 'config-pushed',
      site: 'north',
      subject: `config ${version}`,
      detail: hash,
    });
    const outcome = { version, hash: Buffer.from(hash, 'hex'), outcome: 'applied', problems: [], atUs: 1n };
    await state.configs.reported('north', ConfigReport.fromPartial({ attempted: outcome }));
  }
  const told = {
    startedAtUs: 5n,
    atUs: 6n,
    unmapped: [{ source: 'lab', field: 'observation', code: 'X', count: 1n }],
  };
  await state.telemetry.report('north', Telemetry.fromPartial(told));
  await state.codes.report('north', 'north', Telemetry.fromPartial(told));
  const persons = { table: 'persons', key: Buffer.from('north\0................'), value: new Uint8Array(0) };
  await state.store.write([persons]);
  await parts.close();
  const copy = folderOf(t);
  cpSync(directory, copy, { recursive: true, filter: (from) => !from.endsWith('.sock') });
  return copy;
}

/** Opens what was damaged in the n-th row of a table: that it was told, and what else is to be seen. */
async function damagedStart(t: Test, table: string, n = 0) {
  const directory = await furnished(t);
  await damageRow(storeOf(directory), table, n);
  const parts = await openParts(directory);
  t.teardown(() => parts.close());
  t.same(parts.damaged(), [table]);
  await until(async () => (await parts.trail('row-damaged')).length > 0, { what: 'the trail' });
  t.match(await parts.trail('row-damaged'), [new RegExp(`^row [0-9a-f]+ of ${table} checksum$`)]);
  return parts;
}

for (const table of ['telemetry', 'config-outcomes', 'persons', 'unmapped-codes']) {
  t.test(`start - a damaged row of ${table} costs itself and is told`, async (t) => {
    const { state } = await damagedStart(t, table);
    t.equal(state.eventLog.last(), 5n);
  });
}

t.test('start - a damaged key among the persons ends, and its neighbours are known', async (t) => {
  const directory = folderOf(t);
  const store = await openLmdbStore({ directory, key: Buffer.alloc(32), onFault: () => undefined });
  const value = new Uint8Array(0);
  const gateways = ['east', 'north', 'west'];
  await store.write(
    gateways.map((name) => ({ table: 'persons', key: Buffer.from(`${name}\0......`), value })),
  );
  await store.close();
  damageKey(directory, Buffer.from('north\0......'), 2);
  const again = await openLmdbStore({ directory, key: Buffer.alloc(32), onFault: () => undefined });
  await new Persons(again, Buffer.alloc(32)).open();
  await again.close();
});

t.test('start - where a row of the counts is damaged, what is stored is counted again', async (t) => {
  const { state } = await damagedStart(t, 'counts');
  t.match(state.eventLog.counts(), [{ source: 'lab', events: 5n, records: 4n, doubled: 1n }]);
});

t.test(
  'start - where the key of a row of the counts is damaged, what is stored is counted again',
  async (t) => {
    const directory = await furnished(t);
    for (const [bit, of] of [
      [0x40, 'an epoch that is no number'],
      [0x01, 'an epoch that is another number'],
    ] as const) {
      const copy = folderOf(t);
      cpSync(directory, copy, { recursive: true });
      const environment = openEnvironment({ directory: storeOf(copy) });
      const counts = environment.table('counts');
      const key = Buffer.from('north\0lab\x009');
      const value = Buffer.from(counts.get(key) as Buffer);
      const damagedKey = Buffer.from(key);
      damagedKey[key.length - 1] = (key.at(-1) ?? 0) ^ bit;
      await environment.write(() => {
        void counts.remove(key);
        void counts.put(damagedKey, value);
      });
      await environment.close();
      const { state, damaged, close } = await openParts(copy);
      t.match(state.eventLog.counts(), [{ source: 'lab', events: 5n, records: 4n, doubled: 1n }], of);
      t.equal(state.eventLog.storedUnder(new Set(['north']), 'lab').get(9n), 4n, of);
      t.same(damaged(), ['counts']);
      await close();
      t.equal(await rows(copy, 'counts'), 1, 'it does not stay');
    }
  },
);

t.test('start - a certificate whose row is damaged is refused, and the others are not', async (t) => {
  const { state } = await damagedStart(t, 'certificates');
  t.equal((await rowsLeft(state.store, 'certificates')).length, 1);
  const verdicts = certificates.map((pem) => state.peers.verify(new X509Certificate(pem).raw, Date.now()));
  const said = verdicts.map((one) => ('objection' in one ? one.objection : 'good'));
  // Whose row stands first is by chance.
  const lost = 'the client certificate was not issued by this control plane';
  const whole = ['the client certificate was revoked', 'good'];
  t.equal(said.filter((one) => one === lost).length, 1);
  t.same(
    said,
    whole.map((one, at) => (said[at] === lost ? lost : one)),
  );
});

t.test('start - a damaged row of a gateway is made again from the trail and its events', async (t) => {
  const { state } = await damagedStart(t, 'gateways');
  t.match(state.registry.get('north'), { gateway: 'north', site: 'north', revoked: true, epochs: [9n] });
  t.ok((state.registry.get('north')?.enrolledAtUs ?? 0n) > 0n);
  await state.registry.withFreeName('north', async (name) =>
    t.equal(name, 'north-2', 'its name is not free'),
  );
});

t.test('start - a damaged config stays what is desired and is given to nobody', async (t) => {
  const { state, hub } = await damagedStart(t, 'configs', 1);
  t.match(state.configs.desired('north'), { version: 2n, yaml: '' });
  t.equal(hub.offer('north', 'north', undefined), undefined, 'the one before it is no way back');
  t.equal(state.configs.lastGood('north')?.version, 1n, 'unless someone asks for it');
  t.equal((await pushed(state, 'north', 'sources: {}')).version, 3n);
});

async function rowsLeft(store: Store, table: string): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const row of readable(store, table)) found.push(row);
  return found;
}
