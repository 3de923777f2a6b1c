/**
 * The MQTT source against real sockets: raw packets where bytes and order matter, the `mqtt` package where a
 * usual client is meant. The intake is a small real one in memory whose commits the test settles.
 */
import { webcrypto } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import tls from 'node:tls';
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import mqtt from 'mqtt';
import t from 'tap';
import type { Intake, Receipt, RecordDraft } from '../../gateway/capture/intake.ts';
import { IntakeRefused } from '../../gateway/capture/intake.ts';
import { createMqttSource } from '../../gateway/capture/mqtt/broker.ts';
import type { MqttSourceOptions } from '../../gateway/capture/mqtt/options.ts';
import { hashPassword } from '../../gateway/capture/mqtt/passwords.ts';
import { MemorySessions } from '../kit/memory-intake.ts';

// ── the intake double ──────────────────────────────────────────────────────────────────────────────

interface Pending {
  draft: RecordDraft;
  settle(): void;
  refuse(code: IntakeRefused['code']): void;
}

/** In memory; keeps repeat keys as the journal does. `manual`: the test settles each commit. */
class MemoryIntake implements Intake {
  readonly sessions = new MemorySessions();
  readonly appended: Pending[] = [];
  /** What was journaled, repeats left out. */
  readonly records: RecordDraft[] = [];
  readonly releases: { key: string; settle(): void; fail(): void }[] = [];
  manual = false;
  manualRelease = false;
  readonly #keys = new Map<string, { raw: string; sequence: bigint }>();
  readonly #waiting: { ready: () => boolean; resolve: () => void }[] = [];

  append(draft: RecordDraft): Promise<Receipt> {
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        draft,
        settle: () => resolve(this.#commit(draft)),
        refuse: (code) => reject(new IntakeRefused(code, 'refused by the test')),
      };
      this.appended.push(pending);
      if (!this.manual) pending.settle();
      this.#wake();
    });
  }

  release(key: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.#keys.delete(key);
        resolve();
      };
      this.releases.push({
        key,
        settle,
        fail: () => reject(new IntakeRefused('fault', 'refused by the test')),
      });
      if (!this.manualRelease) settle();
      this.#wake();
    });
  }

  /** Resolves once so many appends (and releases) have come in. */
  came(appends: number, releases = 0): Promise<void> {
    const ready = () => this.appended.length >= appends && this.releases.length >= releases;
    if (ready()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ ready, resolve }));
  }

  #wake(): void {
    for (const waiting of this.#waiting) if (waiting.ready()) waiting.resolve();
  }

  #commit(draft: RecordDraft): Receipt {
    const raw = Buffer.from(draft.raw).toString('base64');
    const repeat = draft.repeat;
    const known = repeat && this.#keys.get(repeat.key);
    if (known && repeat.consult && (repeat.window === 'released' || known.raw === raw)) {
      return { outcome: 'repeat', sequence: known.sequence };
    }
    this.records.push(draft);
    const sequence = BigInt(this.records.length);
    if (repeat) this.#keys.set(repeat.key, { raw, sequence });
    return { outcome: 'journaled', sequence };
  }
}

// ── raw packets ────────────────────────────────────────────────────────────────────────────────────

const str = (text: string | Buffer): Buffer => {
  const bytes = Buffer.from(text as string);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
};
const int16 = (n: number): Buffer => Buffer.from([n >> 8, n & 255]);
const remaining = (n: number): Buffer => {
  const bytes: number[] = [];
  do {
    bytes.push((n & 127) | (n > 127 ? 128 : 0));
    n = Math.floor(n / 128);
  } while (n > 0);
  return Buffer.from(bytes);
};
const frame = (first: number, ...body: Buffer[]): Buffer => {
  const rest = Buffer.concat(body);
  return Buffer.concat([Buffer.from([first]), remaining(rest.length), rest]);
};

interface ConnectFields {
  id?: string;
  clean?: boolean;
  user?: string;
  password?: string;
  level?: number;
  keepalive?: number;
  will?: { topic: string; payload: string; qos?: number; retain?: boolean };
}
const connect = (fields: ConnectFields = {}): Buffer => {
  const { id = 'dev-1', clean = true, user, password, level = 4, keepalive = 60, will } = fields;
  let flags = clean ? 2 : 0;
  if (will) flags |= 4 | ((will.qos ?? 0) << 3) | (will.retain ? 32 : 0);
  if (user !== undefined) flags |= 128;
  if (password !== undefined) flags |= 64;
  const body = [str('MQTT'), Buffer.from([level, flags]), int16(keepalive)];
  if (level === 5) body.push(Buffer.from([0]));
  body.push(str(id));
  if (will) body.push(str(will.topic), str(will.payload));
  if (user !== undefined) body.push(str(user));
  if (password !== undefined) body.push(str(password));
  return frame(0x10, ...body);
};
interface PublishFields {
  topic?: string;
  payload?: string | Buffer;
  qos?: 0 | 1 | 2;
  id?: number;
  dup?: boolean;
  retain?: boolean;
}
const publish = (fields: PublishFields = {}): Buffer => {
  const { topic = 'devices/a', payload = 'x', qos = 1, id = 1, dup = false, retain = false } = fields;
  const first = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
  return frame(first, str(topic), qos > 0 ? int16(id) : Buffer.alloc(0), Buffer.from(payload as string));
};
const pubrel = (id: number): Buffer => frame(0x62, int16(id));
const subscribe = (filter: string, qos = 0, id = 9): Buffer =>
  frame(0x82, int16(id), str(filter), Buffer.from([qos]));
const PINGREQ = Buffer.from([0xc0, 0]);
const PINGRESP = 'd000';
const CONNACK = '20020000';
const puback = (id: number): string => `4002${int16(id).toString('hex')}`;
const pubrec = (id: number): string => `5002${int16(id).toString('hex')}`;
const pubcomp = (id: number): string => `7002${int16(id).toString('hex')}`;

/** A socket that hands out whole packets as hex. */
class RawClient {
  readonly socket: net.Socket;
  readonly closed: Promise<void>;
  readonly got: string[] = [];
  #buffer = Buffer.alloc(0);
  #taken = 0;
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(socket: net.Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      while (this.#buffer.length >= 2) {
        const length = 2 + (this.#buffer[1] as number); // answers are short
        if (this.#buffer.length < length) break;
        this.got.push(this.#buffer.subarray(0, length).toString('hex'));
        this.#buffer = this.#buffer.subarray(length);
      }
      this.#wake?.();
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#ended = true;
        this.#wake?.();
        resolve();
      });
    });
  }

  send(...packets: Buffer[]): this {
    this.socket.write(Buffer.concat(packets));
    return this;
  }

  /** The next packet, or `closed`. */
  async next(): Promise<string> {
    while (this.#taken >= this.got.length) {
      if (this.#ended) return 'closed';
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.got[this.#taken++] as string;
  }
}

/** The next packets; fewer where it was closed. */
async function answers(dev: RawClient, count: number): Promise<string[]> {
  const got: string[] = [];
  while (got.length < count && got.at(-1) !== 'closed') got.push(await dev.next());
  return got;
}

/** The server learns of a close on its own time: waits until the check holds, a turn of the loop at a time. */
async function until(holds: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + 5_000;
  while (!holds() && Date.now() < giveUpAt) await new Promise<void>((resolve) => setImmediate(resolve));
}

// ── one source per test ────────────────────────────────────────────────────────────────────────────

type Test = Parameters<Parameters<typeof t.test>[0]>[0];

async function source(test: Test, more: Partial<MqttSourceOptions> = {}, intake = new MemoryIntake()) {
  const logs: { code: string; fields: Record<string, string | number>; level?: 'warn' }[] = [];
  const clock = {
    us: 1_000_000_000_000n,
    elapsedMs: 5,
    pass(ms: number) {
      clock.us += BigInt(ms) * 1000n;
      clock.elapsedMs += ms;
    },
  };
  const broker = createMqttSource(
    {
      name: 'mqtt',
      host: '127.0.0.1',
      port: 0,
      users: [],
      anonymous: { publish: ['devices/#'] },
      sourceFor: () => 'mqtt',
      classFor: () => 'stat',
      ...more,
    },
    intake,
    {
      log: (code, fields, level) => logs.push({ code, fields, ...(level === undefined ? {} : { level }) }),
      nowUs: () => clock.us,
      elapsedMs: () => clock.elapsedMs,
    },
  );
  const { port } = await broker.start();
  const opened: net.Socket[] = [];
  test.teardown(async () => {
    for (const socket of opened) socket.destroy();
    await broker.stop(1_000);
  });
  const open = async (): Promise<RawClient> => {
    const socket = net.connect(port, '127.0.0.1');
    opened.push(socket);
    await once(socket, 'connect');
    return new RawClient(socket);
  };
  const client = async (fields: ConnectFields = {}): Promise<RawClient> => {
    const raw = await open();
    raw.send(connect(fields));
    test.equal(await raw.next(), fields.clean === false ? raw.got[0] : CONNACK, 'connected');
    return raw;
  };
  return { intake, broker, port, open, client, clock, logs };
}

// ── answers and commits ────────────────────────────────────────────────────────────────────────────

t.test('mqtt qos 1 - PUBACK leaves after the commit and not before', async (t) => {
  const { intake, client } = await source(t);
  intake.manual = true;
  const dev = await client();
  dev.send(publish({ id: 7, payload: 'reading' }));
  await intake.came(1);
  dev.send(PINGREQ);
  t.equal(await dev.next(), PINGRESP, 'alive, and nothing was acknowledged meanwhile');
  const pending = intake.appended[0];
  t.equal(Buffer.from(pending?.draft.raw ?? []).toString(), 'reading');
  t.match(pending?.draft, { protocol: 'mqtt', topic: 'devices/a', client: 'dev-1', qos: 1, source: 'mqtt' });
  t.equal(pending?.draft.repeat, undefined, 'a clean session is never resumed: nothing to remember');
  pending?.settle();
  t.equal(await dev.next(), puback(7));
});

t.test('mqtt qos 1 - a refused commit closes without PUBACK', async (t) => {
  const { intake, client, broker } = await source(t);
  intake.manual = true;
  const dev = await client();
  dev.send(publish({ id: 1 }), publish({ id: 2 }));
  await intake.came(2);
  intake.appended[0]?.refuse('reserve');
  intake.appended[1]?.settle();
  await dev.closed;
  t.same(dev.got, [CONNACK], 'also what stood behind the refused one is not acknowledged');
  t.equal(broker.stats().appendsRefused, 1);
});

t.test('mqtt qos 1 - PUBACKs leave in the order of the publishes [MQTT-4.6.0-2]', async (t) => {
  const { intake, client } = await source(t);
  intake.manual = true;
  const dev = await client();
  dev.send(publish({ id: 1 }), publish({ id: 2 }), publish({ id: 3 }));
  await intake.came(3);
  for (const i of [2, 0, 1]) intake.appended[i]?.settle();
  t.same([await dev.next(), await dev.next(), await dev.next()], [puback(1), puback(2), puback(3)]);
});

t.test('mqtt qos 0 - accepted at commit; a refused commit closes the connection', async (t) => {
  const { intake, client } = await source(t);
  const dev = await client();
  dev.send(publish({ qos: 0 }), PINGREQ);
  t.equal(await dev.next(), PINGRESP);
  t.equal(intake.records.length, 1);
  intake.manual = true;
  dev.send(publish({ qos: 0 }));
  await intake.came(2);
  intake.appended[1]?.refuse('budget');
  await dev.closed;
});

t.test(
  'mqtt qos 2 - PUBREC after the commit, PUBCOMP after the durable release [MQTT-4.3.3-2]',
  async (t) => {
    const { intake, client, broker } = await source(t);
    intake.manual = true;
    intake.manualRelease = true;
    const dev = await client();
    dev.send(publish({ qos: 2, id: 5 }));
    await intake.came(1);
    dev.send(PINGREQ);
    t.equal(await dev.next(), PINGRESP, 'no PUBREC before the commit');
    const key = intake.appended[0]?.draft.repeat?.key ?? '';
    t.match(key, /^mqtt2\|mqtt\|dev-1\|[\w-]{12}\|5$/, 'a clean session has its own keys');
    intake.appended[0]?.settle();
    t.equal(await dev.next(), '50020005');
    dev.send(pubrel(5));
    await intake.came(1, 1);
    dev.send(PINGREQ);
    t.equal(await dev.next(), PINGRESP, 'no PUBCOMP while the release is under way');
    t.equal(intake.releases[0]?.key, key);
    intake.releases[0]?.settle();
    t.equal(await dev.next(), '70020005');
    t.equal(broker.stats().released, 1);
  },
);

t.test('mqtt qos 2 - a release that fails closes without PUBCOMP', async (t) => {
  const { intake, client } = await source(t);
  intake.manualRelease = true;
  const dev = await client();
  dev.send(publish({ qos: 2, id: 5 }));
  t.equal(await dev.next(), '50020005');
  dev.send(pubrel(5));
  await intake.came(1, 1);
  intake.releases[0]?.fail();
  await dev.closed;
  t.equal(dev.got.length, 2);
});

t.test('mqtt qos 2 - the same packet id before PUBREL is one record and one more PUBREC', async (t) => {
  const { intake, client } = await source(t);
  const dev = await client();
  dev.send(publish({ qos: 2, id: 5 }), publish({ qos: 2, id: 5, dup: true }));
  t.same([await dev.next(), await dev.next()], ['50020005', '50020005']);
  t.equal(intake.records.length, 1);
  dev.send(pubrel(5));
  t.equal(await dev.next(), '70020005');
  dev.send(publish({ qos: 2, id: 5 }));
  t.equal(await dev.next(), '50020005');
  t.equal(intake.records.length, 2, 'after PUBREL the id is free');
});

t.test('mqtt qos 2 - an unknown PUBREL of a kept session is released and answered', async (t) => {
  const { intake, client } = await source(t);
  const dev = await client({ clean: false });
  dev.send(pubrel(77));
  t.equal(await dev.next(), '7002004d');
  t.equal(intake.releases[0]?.key, 'mqtt2|mqtt|dev-1|77', 'it may be from before a restart');
});

t.test('mqtt qos 2 - a session resumed after a restart is one record, DUP or not', async (t) => {
  for (const dup of [true, false]) {
    const { intake, client } = await source(t);
    // The journal knows the key from the broker's last life.
    await intake.append({
      source: 'mqtt',
      protocol: 'mqtt',
      raw: Buffer.from('x'),
      capturedAtUs: 0n,
      classGuess: 'routine',
      messageControlId: '',
      repeat: { key: 'mqtt2|mqtt|dev-1|5', consult: true, window: 'released', otherBytes: 'replace' },
    });
    const dev = await client({ clean: false });
    dev.send(publish({ qos: 2, id: 5, dup }));
    t.equal(await dev.next(), '50020005');
    t.equal(intake.records.length, 1, `dup ${dup}`);
  }
});

t.test('mqtt qos 2 - after a restart other bytes without DUP are a new reading', async (t) => {
  for (const dup of [true, false]) {
    const { intake, client } = await source(t);
    // PUBREC was sent, and PUBREL never came: the id is open in the journal.
    await intake.append({
      source: 'mqtt',
      protocol: 'mqtt',
      raw: Buffer.from('98.1'),
      capturedAtUs: 0n,
      classGuess: 'routine',
      messageControlId: '',
      repeat: { key: 'mqtt2|mqtt|dev-1|1', consult: true, window: 'released', otherBytes: 'replace' },
    });
    const dev = await client({ clean: false });
    dev.send(publish({ qos: 2, id: 1, payload: '97.4', dup }));
    t.equal(await dev.next(), '50020001');
    t.equal(intake.records.length, dup ? 1 : 2, dup ? 'DUP: the packet id alone counts' : 'it is not lost');
  }
});

t.test(
  'mqtt qos 2 - other bytes without DUP under an id that an earlier connection left are new',
  async (t) => {
    const { intake, client } = await source(t);
    const first = await client({ clean: false });
    first.send(publish({ qos: 2, id: 5, payload: '98.1' }));
    t.equal(await first.next(), '50020005');
    first.socket.destroy();
    const again = await client({ clean: false });
    again.send(publish({ qos: 2, id: 5, payload: '98.1' }));
    t.equal(await again.next(), '50020005');
    t.equal(intake.records.length, 1, 'the same bytes: sent again by a client that does not set DUP');
    again.send(publish({ qos: 2, id: 5, payload: '97.4', dup: true }));
    t.equal(await again.next(), '50020005');
    t.equal(intake.records.length, 1, 'DUP and this connection: the packet id alone counts');
    again.socket.destroy();
    const rebooted = await client({ clean: false });
    rebooted.send(publish({ qos: 2, id: 5, payload: '97.4' }));
    t.equal(await rebooted.next(), '50020005');
    t.equal(intake.records.length, 2, 'a device that lost its memory is not robbed of a reading');
  },
);

t.test(
  'mqtt qos 2 - a client may send thousands before its first PUBREL; each is one record, answered and released',
  async (t) => {
    const { intake, client, broker } = await source(t);
    const dev = await client({ clean: false });
    const ids = Array.from({ length: 3_000 }, (_, n) => n + 1);
    dev.send(...ids.map((id) => publish({ qos: 2, id, payload: `${id}` })));
    t.strictSame(await answers(dev, ids.length), ids.map(pubrec), 'each PUBREC in its turn');
    dev.send(...ids.map((id) => publish({ qos: 2, id, payload: `${id}`, dup: true })));
    t.strictSame(await answers(dev, ids.length), ids.map(pubrec), 'and once more');
    dev.send(...ids.map(pubrel));
    t.strictSame(await answers(dev, ids.length), ids.map(pubcomp));
    t.equal(intake.records.length, 3_000);
    t.equal(broker.stats().released, 3_000);
    t.same(broker.stats().closed, {});
  },
);

t.test('mqtt qos 2 - thousands that were left open are one record each on the next connection', async (t) => {
  const { intake, client } = await source(t);
  const ids = Array.from({ length: 800 }, (_, n) => n + 1);
  for (let round = 0; round < 3; round++) {
    const dev = await client({ clean: false });
    dev.send(...ids.map((id) => publish({ qos: 2, id, payload: `${id}`, dup: round > 0 })));
    t.strictSame(await answers(dev, ids.length), ids.map(pubrec), `round ${round}`);
    dev.socket.destroy();
  }
  t.equal(intake.records.length, 800);
});

t.test('mqtt qos 2 - open packet ids are bounded over all sessions, those of nobody go first', async (t) => {
  const { intake, client, broker, clock } = await source(t, { limits: { unreleasedTotalMax: 10 } });
  const gone = await client({ id: 'gone', clean: false });
  for (let id = 1; id <= 6; id++) gone.send(publish({ qos: 2, id, payload: `${id}` }));
  for (let id = 1; id <= 6; id++) t.equal(await gone.next(), pubrec(id));
  gone.socket.destroy();
  await until(() => broker.stats().connections === 0);
  const small = await client({ id: 'small' });
  small.send(publish({ qos: 2, id: 1 }));
  t.equal(await small.next(), pubrec(1));
  const hog = await client({ id: 'hog', clean: false });
  for (let id = 1; id <= 9; id++) hog.send(publish({ qos: 2, id, payload: `${id}` }));
  for (let id = 1; id <= 9; id++)
    t.equal(await hog.next(), pubrec(id), 'the place of a session without a client');
  small.send(publish({ qos: 2, id: 2 }));
  t.equal(await small.next(), pubrec(2), 'whoever has little goes on');
  await hog.closed;
  await until(() => broker.stats().connections === 1);
  t.same(broker.stats().closed, { 'unreleased-limit': 1 }, 'whoever has most is closed');
  clock.pass(60_000);
  for (const id of ['gone', 'hog']) {
    const again = await client({ id, clean: false });
    again.send(publish({ qos: 2, id: 3, payload: '3' }));
    t.equal(await again.next(), pubrec(3));
    again.socket.destroy();
  }
  t.equal(intake.records.length, 17, 'what was forgotten here the journal still knows');
});

t.test(
  'mqtt qos 1 - DUP on a resumed session is one record; without DUP two equal readings are two',
  async (t) => {
    const { intake, client, broker } = await source(t);
    const first = await client({ clean: false });
    t.equal(first.got[0], CONNACK, 'no session yet');
    first.send(publish({ id: 7, payload: '72' }));
    t.equal(await first.next(), puback(7));
    first.socket.destroy();
    const again = await client({ clean: false });
    t.equal(again.got[0], '20020100', 'session present [MQTT-3.2.2-2]');
    again.send(publish({ id: 7, payload: '72', dup: true }));
    t.equal(await again.next(), puback(7), 'a repeat is acknowledged');
    t.match(intake.appended[1]?.draft.repeat, {
      key: 'mqtt1|mqtt|dev-1|7',
      consult: true,
      window: { ms: 60_000 },
      otherBytes: 'replace',
    });
    t.equal(intake.records.length, 1);
    again.send(publish({ id: 7, payload: '72' }));
    t.equal(await again.next(), puback(7));
    t.equal(intake.appended[2]?.draft.repeat?.consult, false);
    t.equal(intake.records.length, 2);
    t.equal(broker.stats().repeats, 1);
  },
);

t.test('mqtt qos 1 - DUP on a clean session is a record of its own', async (t) => {
  const { intake, client } = await source(t);
  const dev = await client();
  dev.send(publish({ id: 7 }), publish({ id: 7, dup: true }));
  t.same([await dev.next(), await dev.next()], [puback(7), puback(7)]);
  t.equal(intake.records.length, 2);
});

t.test(
  'mqtt session - a clean CONNECT ends the kept one and releases its packet ids [MQTT-3.1.2-6]',
  async (t) => {
    const { intake, client } = await source(t);
    const first = await client({ clean: false });
    first.send(publish({ qos: 2, id: 5 }));
    t.equal(await first.next(), '50020005');
    first.socket.destroy();
    await client({ clean: true });
    t.same(
      intake.releases.map((r) => r.key),
      ['mqtt2|mqtt|dev-1|5'],
    );
    const later = await client({ clean: false });
    t.equal(later.got[0], CONNACK, 'no session present');
  },
);

t.test('mqtt session - a broker that was started anew knows it, by client id and user', async (t) => {
  const users = [{ name: 'bob', password: await hashPassword('secret'), publish: ['devices/#'] }];
  const { client, broker, intake } = await source(t);
  t.equal((await client({ clean: false })).got[0], CONNACK);
  t.equal((await client({ clean: true, id: 'dev-2' })).got[0], CONNACK);
  await broker.stop(1_000);
  const next = await source(t, {}, intake);
  t.equal((await next.client({ clean: false })).got[0], '20020100', 'session present [MQTT-3.2.2-2]');
  t.equal((await next.client({ clean: false, id: 'dev-2' })).got[0], CONNACK, 'a clean one ended');
  t.equal((await next.client({ clean: false, id: 'dev-3' })).got[0], CONNACK, 'nobody knows it');
  await next.broker.stop(1_000);
  const others = await source(t, { users }, intake);
  const bob = await others.client({ clean: false, user: 'bob', password: 'secret' });
  t.equal(bob.got[0], CONNACK, 'another user');
});

const reader = { user: 'reader', password: 'secret' };
const withReader = async (): Promise<Partial<MqttSourceOptions>> => ({
  users: [
    {
      name: 'reader',
      password: await hashPassword('secret'),
      publish: ['devices/#'],
      subscribe: ['devices/#'],
    },
  ],
});

t.test('mqtt session - ends for who subscribes, before SUBACK: subscriptions are not kept', async (t) => {
  const { client, intake, broker } = await source(t, await withReader());
  const dev = await client({ clean: false, ...reader });
  t.equal(intake.sessions.keys.size, 1);
  dev.send(subscribe('devices/#'));
  t.match(await dev.next(), /^9003/);
  t.equal(intake.sessions.keys.size, 0);
  dev.socket.destroy();
  const again = await client({ clean: false, ...reader });
  t.equal(again.got[0], CONNACK, 'within one life of the broker, too');
  await broker.stop(1_000);
});

t.test('mqtt session - CONNACK and SUBACK wait until what they tell is durable', async (t) => {
  const { intake, open } = await source(t, await withReader());
  const settle: (() => void)[] = [];
  for (const what of ['keep', 'end'] as const) {
    const real = intake.sessions[what].bind(intake.sessions);
    intake.sessions[what] = async (key) => {
      await real(key);
      await new Promise<void>((resolve) => settle.push(resolve));
    };
  }
  const dev = await open();
  dev.send(connect({ clean: false, ...reader }));
  await until(() => settle.length === 1);
  t.same(dev.got, []);
  settle[0]?.();
  t.equal(await dev.next(), CONNACK);
  dev.send(subscribe('devices/#'), subscribe('devices/a', 0, 10));
  await until(() => settle.length === 3);
  t.same(dev.got, [CONNACK], 'nor one that is asked for meanwhile');
  for (const one of settle) one();
  t.match(await dev.next(), /^9003/);
  t.match(await dev.next(), /^9003/);
});

t.test('mqtt retain - stripped, counted, answered', async (t) => {
  const { intake, client, broker } = await source(t);
  const dev = await client();
  dev.send(publish({ id: 3, retain: true }));
  t.equal(await dev.next(), puback(3));
  t.equal(broker.stats().retainStripped, 1);
  t.equal(intake.records.length, 1);
});

t.test('mqtt client - the mqtt package publishes at QoS 0, 1 and 2', async (t) => {
  const { intake, port } = await source(t);
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0, clientId: 'pkg' });
  t.teardown(() => client.endAsync(true));
  await Promise.all([1, 2, 3, 4, 5].map((n) => client.publishAsync('devices/b', `q1-${n}`, { qos: 1 })));
  await Promise.all([1, 2, 3, 4, 5].map((n) => client.publishAsync('devices/b', `q2-${n}`, { qos: 2 })));
  await client.publishAsync('devices/b', 'q0');
  await intake.came(11);
  t.same(intake.records.map((r) => Buffer.from(r.raw).toString()).sort(), [
    'q0',
    'q1-1',
    'q1-2',
    'q1-3',
    'q1-4',
    'q1-5',
    'q2-1',
    'q2-2',
    'q2-3',
    'q2-4',
    'q2-5',
  ]);
});

t.test('mqtt back-pressure - what waits for commits is bounded, and goes on afterwards', async (t) => {
  const { intake, client, broker } = await source(t, { limits: { inFlightMax: 16 } });
  intake.manual = true;
  const dev = await client();
  for (let id = 1; id <= 2_000; id++) dev.send(publish({ id, payload: Buffer.alloc(1_000) }));
  await intake.came(16);
  dev.send(PINGREQ);
  for (let settled = 0; settled < 2_000; settled++) {
    await intake.came(settled + 1);
    const { inFlight } = broker.stats();
    if (inFlight > 16 + 140) t.fail(`${inFlight} in flight: more than the limit and two read chunks`);
    intake.appended[settled]?.settle();
  }
  const answers: string[] = [];
  while (answers.length < 2_001) answers.push(await dev.next());
  t.same(
    answers.filter((answer) => answer !== PINGRESP),
    Array.from({ length: 2_000 }, (_, i) => puback(i + 1)),
  );
  t.ok(broker.stats().holds > 0, 'the socket was held');
  t.equal(broker.stats().inFlightBytes, 0);
});

// ── lifecycle ──────────────────────────────────────────────────────────────────────────────────────

t.test('mqtt stop - commits in hand are finished and acknowledged, then connections close', async (t) => {
  const { intake, client, broker } = await source(t);
  intake.manual = true;
  const dev = await client({ will: { topic: 'devices/a', payload: 'gone' } });
  dev.send(publish({ id: 1 }), publish({ id: 2, qos: 2 }));
  await intake.came(2);
  const stopped = broker.stop(5_000);
  for (const pending of intake.appended) pending.settle();
  t.same([await dev.next(), await dev.next()], [puback(1), '50020002']);
  await dev.closed;
  await stopped;
  await broker.stop(5_000);
  t.equal(intake.records.length, 2, "our own stop is not the device's will");
  t.equal(broker.stats().willsDropped, 1);
});

t.test('mqtt stop - the deadline cuts a commit that does not settle', async (t) => {
  const { intake, client, broker } = await source(t);
  intake.manual = true;
  const dev = await client();
  dev.send(publish({ id: 1 }));
  await intake.came(1);
  await broker.stop(50);
  await dev.closed;
  t.same(dev.got, [CONNACK], 'closed without PUBACK');
});

t.test('mqtt start - safe to stop unstarted; a taken port is refused with its cause', async (t) => {
  const { port } = await source(t);
  const hooks = { log: () => {}, nowUs: () => 0n, elapsedMs: () => 0 };
  const options: MqttSourceOptions = {
    name: 'second',
    host: '127.0.0.1',
    port,
    users: [],
    sourceFor: () => 's',
    classFor: () => 'routine',
  };
  const unstarted = createMqttSource(options, new MemoryIntake(), hooks);
  await unstarted.stop(10);
  const taken = createMqttSource(options, new MemoryIntake(), hooks);
  await t.rejects(taken.start(), { message: /cannot listen/, cause: { code: 'EADDRINUSE' } });
  await taken.stop(10);
  const bad = createMqttSource({ ...options, anonymous: { publish: ['a/#/b'] } }, new MemoryIntake(), hooks);
  await t.rejects(bad.start(), /not a topic filter/);
  await bad.stop(10);
});

// ── access ─────────────────────────────────────────────────────────────────────────────────────────

t.test('mqtt acl - publishing outside the filters closes without PUBACK, $SYS too', async (t) => {
  const { intake, open, broker } = await source(t, { anonymous: { publish: ['devices/#', '#'] } });
  for (const topic of ['$SYS/x', '$share/x', 'devices/+', 'a/b/c/d/e/f/g/h/i', 'a\u0000b', 'a\ufffdb']) {
    const dev = await open();
    dev.send(connect());
    t.equal(await dev.next(), CONNACK);
    dev.send(publish({ topic }));
    await dev.closed;
    t.same(dev.got, [CONNACK], JSON.stringify(topic));
  }
  t.equal(intake.appended.length, 0);
  await until(() => broker.stats().connections === 0);
  t.match(broker.stats().closed, { acl: 2 });
});

t.test('mqtt acl - users, %c in filters, wrong and missing passwords', async (t) => {
  const password = await hashPassword('secret');
  const { open, intake } = await source(t, {
    anonymous: undefined as never,
    users: [{ name: 'ward3', password, publish: ['site/%c/#'] }],
  });
  const codes: [ConnectFields, string][] = [
    [{}, '20020005'],
    [{ user: 'ward3', password: 'wrong' }, '20020004'],
    [{ user: 'ward3' }, '20020004'],
    [{ user: 'nobody', password: 'secret' }, '20020004'],
    [{ user: 'ward3', password: 'secret' }, CONNACK],
    [{ user: 'ward3', password: 'secret' }, CONNACK],
  ];
  for (const [fields, code] of codes) {
    const dev = await open();
    dev.send(connect(fields));
    t.equal(await dev.next(), code, JSON.stringify(fields));
  }
  const dev = await open();
  dev.send(connect({ id: 'pump-1', user: 'ward3', password: 'secret' }));
  t.equal(await dev.next(), CONNACK);
  dev.send(publish({ topic: 'site/pump-1/x', id: 4 }));
  t.equal(await dev.next(), puback(4));
  dev.send(publish({ topic: 'site/pump-2/x', id: 5 }));
  await dev.closed;
  const sly = await open();
  sly.send(connect({ id: '#', user: 'ward3', password: 'secret' }));
  t.equal(await sly.next(), CONNACK);
  sly.send(publish({ topic: 'site/pump-2/x' }));
  await sly.closed;
  t.equal(intake.records.length, 1);
});

t.test(
  'mqtt subscribe - 128 by default; a granted filter gets live messages and leaves nothing behind',
  async (t) => {
    const password = await hashPassword('pw');
    const { client, open, broker } = await source(t, {
      users: [{ name: 'display', password, publish: [], subscribe: ['devices/+/alarm'] }],
    });
    const dev = await client();
    for (const filter of ['#', '$SYS/#', 'devices/#']) {
      dev.send(subscribe(filter));
      t.equal(await dev.next(), '9003000980', filter);
    }
    const display = await open();
    display.send(connect({ id: 'display', user: 'display', password: 'pw', clean: false }));
    t.equal(await display.next(), CONNACK);
    display.send(subscribe('devices/#', 1));
    t.equal(await display.next(), '9003000980', 'wider than allowed');
    display.send(subscribe('devices/+/alarm', 1));
    t.equal(await display.next(), '9003000901');
    dev.send(
      publish({ topic: 'devices/7/alarm', payload: 'A', id: 1 }),
      publish({ topic: 'devices/7/x', id: 2 }),
    );
    t.same([await dev.next(), await dev.next()], [puback(1), puback(2)]);
    const delivered = Buffer.from(await display.next(), 'hex');
    t.equal(delivered[0], 0x32);
    t.match(delivered.toString('latin1'), /devices\/7\/alarm/);
    display.send(frame(0x40, delivered.subarray(-3, -1)));
    display.socket.destroy();
    await display.closed;
    dev.send(publish({ topic: 'devices/7/alarm', payload: 'B', id: 3 }));
    t.equal(await dev.next(), puback(3));
    const back = await open();
    back.send(connect({ id: 'display', user: 'display', password: 'pw', clean: false }), PINGREQ);
    t.same([await back.next(), await back.next()], [CONNACK, PINGRESP], 'no session, and nothing was queued');
    t.equal(broker.stats().subscribesDenied, 4);
  },
);

t.test(
  'mqtt subscribe - as many as there may be at once: the same replaces, UNSUBSCRIBE gives back [MQTT-3.8.4-3]',
  async (t) => {
    const password = await hashPassword('pw');
    const { open, client, intake } = await source(t, {
      users: [{ name: 'display', password, publish: [], subscribe: ['devices/#'] }],
      limits: { subscriptionsMax: 2 },
    });
    const display = await open();
    display.send(connect({ id: 'display', user: 'display', password: 'pw', clean: false }));
    t.equal(await display.next(), CONNACK);
    const asks = async (filter: string) => await display.send(subscribe(filter)).next();
    const [granted, denied] = ['9003000900', '9003000980'];
    for (let n = 0; n < 5; n++) t.equal(await asks('devices/a'), granted, 'the same again');
    t.same([await asks('devices/b'), await asks('devices/c')], [granted, denied]);
    const unsubscribe = async (...filters: string[]) =>
      await display.send(frame(0xa2, int16(8), ...filters.map(str))).next();
    t.equal(await unsubscribe('devices/a', 'devices/never'), 'b0020008');
    t.same([await asks('devices/c'), await asks('devices/d')], [granted, denied]);
    const dev = await client();
    dev.send(publish({ topic: 'devices/c', qos: 0 }));
    t.match(Buffer.from(await display.next(), 'hex').toString('latin1'), /devices\/c/);
    t.equal(await unsubscribe('devices/b', 'devices/c'), 'b0020008');
    dev.send(publish({ topic: 'devices/c', id: 5 }));
    t.equal(await dev.next(), puback(5));
    t.equal(intake.records.length, 2);
    display.socket.destroy();
    await display.closed;
    const back = await open();
    back.send(connect({ id: 'display', user: 'display', password: 'pw', clean: false }), PINGREQ);
    t.same([await back.next(), await back.next()], ['20020100', PINGRESP], 'nothing of the session was lost');
  },
);

t.test('mqtt will - only inside the own filters; captured as will, never as stat', async (t) => {
  const { intake, open, client, broker } = await source(t);
  const foreign = await open();
  foreign.send(connect({ will: { topic: 'other/x', payload: 'w' } }));
  t.equal(await foreign.next(), '20020005');
  const dev = await client({ will: { topic: 'devices/a', payload: 'gone', qos: 1, retain: true } });
  dev.socket.destroy();
  await intake.came(1);
  t.match(intake.appended[0]?.draft, {
    will: true,
    classGuess: 'urgent',
    topic: 'devices/a',
    client: 'dev-1',
  });
  const polite = await client({ will: { topic: 'devices/a', payload: 'gone' } });
  polite.send(Buffer.from([0xe0, 0]));
  await polite.closed;
  const probe = await client({ id: 'probe' });
  probe.send(publish());
  t.equal(await probe.next(), puback(1));
  t.equal(intake.appended.length, 2, 'DISCONNECT takes the will back [MQTT-3.1.2-10]');
  t.equal(broker.stats().wills, 1);
});

t.test(
  'mqtt will - more than a few a minute are dropped, which is counted, and told once a minute',
  async (t) => {
    const { intake, client, broker, clock, logs } = await source(t, { limits: { willsPerMinuteMax: 2 } });
    const lose = async (id: string) => {
      const dev = await client({ id, will: { topic: 'devices/a', payload: 'gone' } });
      const before = broker.stats();
      dev.socket.destroy();
      await until(() => {
        const { wills, willsDropped } = broker.stats();
        return wills + willsDropped > before.wills + before.willsDropped;
      });
    };
    const told = () => logs.filter(({ code }) => code === 'mqtt-will-dropped');
    for (let n = 0; n < 6; n++) await lose('flapping');
    await lose('other');
    t.equal(intake.appended.length, 3);
    t.match(broker.stats(), { wills: 3, willsDropped: 4 });
    t.same(told(), [
      { code: 'mqtt-will-dropped', fields: { listener: 'mqtt', address: '127.0.0.1', minuteMax: 2 } },
    ]);
    clock.pass(60_000);
    for (let n = 0; n < 3; n++) await lose('flapping');
    t.equal(told().length, 2, 'and again in another minute');
  },
);

t.test('mqtt takeover - another user is refused and the holder stays; the own one takes over', async (t) => {
  const password = await hashPassword('pw');
  const { client, open, broker } = await source(t, {
    users: ['a', 'b'].map((name) => ({ name, password, publish: ['devices/#'] })),
  });
  const holder = await client({ id: 'mon', user: 'a', password: 'pw' });
  for (const fields of [{ id: 'mon', user: 'b', password: 'pw' }, { id: 'mon' }]) {
    const thief = await open();
    thief.send(connect(fields));
    t.equal(
      await thief.next(),
      '20020003',
      'server unavailable: the holder may go, and the client comes again',
    );
    await thief.closed;
  }
  holder.send(publish({ id: 1 }));
  t.equal(await holder.next(), puback(1));
  const again = await client({ id: 'mon', user: 'a', password: 'pw' });
  await holder.closed;
  again.send(publish({ id: 2 }));
  t.equal(await again.next(), puback(2));
  t.equal(broker.stats().takeovers, 1);
  t.match(broker.stats().refused, { takeover: 2 });
});

t.test(
  'mqtt takeover - more than five a minute cool down, and time ends it, though the wall clock was set back',
  async (t) => {
    const { client, open, clock } = await source(t);
    let last = await client({ id: 'flap' });
    for (let i = 0; i < 5; i++) {
      const next = await client({ id: 'flap' });
      await last.closed;
      last = next;
    }
    const sixth = await open();
    sixth.send(connect({ id: 'flap' }));
    t.equal(await sixth.next(), '20020003');
    last.send(PINGREQ);
    t.equal(await last.next(), PINGRESP, 'the holder stays');
    clock.us -= 3_600_000_000n;
    clock.pass(61_000);
    await client({ id: 'flap' });
    await last.closed;
  },
);

// ── the guard ──────────────────────────────────────────────────────────────────────────────────────

t.test('mqtt guard - versions other than 3.1 and 3.1.1 get CONNACK 1 [MQTT-3.1.2-2]', async (t) => {
  const { open, broker } = await source(t);
  for (const level of [5, 6, 3]) {
    const dev = await open();
    dev.send(connect({ level }));
    t.equal(await dev.next(), '20020001', `level ${level}`);
    await dev.closed;
  }
  t.same(broker.stats().refused, { version: 3 });
  const old = await open();
  old.send(
    frame(0x10, str('MQIsdp'), Buffer.from([3, 2]), int16(10), str('a-name-longer-than-23-characters')),
  );
  t.equal(await old.next(), CONNACK, '3.1');
});

t.test('mqtt guard - the mqtt package in version 5 is told so', async (t) => {
  const { port } = await source(t);
  await t.rejects(mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 0 }));
});

t.test('mqtt guard - a declared 256 MB costs nothing and closes at the header', async (t) => {
  const { open, client, broker } = await source(t);
  const before = process.memoryUsage().rss;
  const stranger = await open();
  stranger.send(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
  await stranger.closed;
  const dev = await client();
  dev.send(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]), Buffer.alloc(4_000_000));
  await dev.closed;
  const five = await client({ id: 'five' });
  five.send(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01])); // five length bytes
  await five.closed;
  t.ok(process.memoryUsage().rss - before < 48 * 1024 * 1024, 'RSS stayed');
  await until(() => broker.stats().connections === 0);
  t.match(broker.stats(), { refused: { oversize: 1 }, closed: { oversize: 1, malformed: 1 } });
});

t.test('mqtt guard - a publish that is too large is told with its size and what to do', async (t) => {
  const { client, open, broker, logs } = await source(t, { limits: { packetBytesMax: 1_000 } });
  const dev = await client();
  dev.send(publish({ topic: 'devices/SECRET', payload: Buffer.alloc(2_000) }));
  await dev.closed;
  const stranger = await open();
  stranger.send(connect({ will: { topic: 'devices/a', payload: 'w'.repeat(9_000) } }));
  await stranger.closed;
  await until(() => broker.stats().connections === 0);
  const told = logs.filter(({ fields }) => fields.reason === 'oversize');
  t.match(told, [
    {
      code: 'mqtt-closed',
      level: 'warn',
      fields: { bytes: 2_018, bytesMax: 1_000, advice: /^raise packetBytesMax of the listener/ },
    },
    { code: 'mqtt-refused', level: 'warn', fields: { bytesMax: 8_192, advice: /^CONNECT and SUBSCRIBE/ } },
  ]);
  t.notMatch(JSON.stringify(logs), /SECRET/);
});

t.test('mqtt topics - one with too many levels is told with their number and what to do', async (t) => {
  const { client, intake, broker, logs } = await source(t);
  for (const qos of [0, 1, 2] as const) {
    const dev = await client({ id: `dev-${qos}` });
    dev.send(publish({ topic: 'devices/a/b/c/d/e/f/g/SECRET', id: 7, qos }));
    await dev.closed;
    t.same(dev.got, [CONNACK], 'nothing is acknowledged');
    await until(() => broker.stats().closed['topic-levels'] === qos + 1);
  }
  t.equal(intake.appended.length, 0);
  const told = logs.filter(({ code }) => code === 'mqtt-closed');
  t.equal(told.length, 3);
  t.match(told[0], {
    level: 'warn',
    fields: { reason: 'topic-levels', levels: 9, levelsMax: 8, characters: 28, advice: /fewer levels/ },
  });
  t.notMatch(JSON.stringify(logs), /SECRET/);
  const fits = await client({ id: 'fits' });
  fits.send(publish({ topic: 'devices/a/b/c/d/e/f/g', id: 7 }));
  t.equal(await fits.next(), puback(7));
});

t.test('mqtt guard - CONNECT and PUBLISH have their own caps', async (t) => {
  const { open, client, intake } = await source(t);
  const big = await open();
  big.send(connect({ will: { topic: 'devices/a', payload: 'w'.repeat(9_000) } }));
  await big.closed;
  t.same(big.got, []);
  const dev = await client();
  const most = 1024 * 1024 - 2 - 'devices/a'.length - 2;
  dev.send(publish({ payload: Buffer.alloc(most) }));
  t.equal(await dev.next(), puback(1), '1 MiB passes');
  t.equal(intake.records[0]?.raw.length, most);
  dev.send(publish({ payload: Buffer.alloc(most + 1) }));
  await dev.closed;
});

t.test('mqtt guard - no CONNECT in time, another packet first, CONNECT twice', async (t) => {
  const { open, client, broker } = await source(t, { limits: { connectTimeoutMs: 50, packetTimeoutMs: 50 } });
  const silent = await open();
  await silent.closed;
  const half = await open();
  half.send(connect().subarray(0, 9));
  await half.closed;
  const rude = await open();
  rude.send(PINGREQ);
  await rude.closed;
  t.same(rude.got, []);
  const twice = await client();
  twice.send(connect());
  await twice.closed;
  t.same(twice.got, [CONNACK]);
  const stalled = await client({ id: 'stalled', keepalive: 0 });
  stalled.send(publish().subarray(0, 6));
  await stalled.closed;
  await until(() => broker.stats().connections === 0);
  t.match(broker.stats(), {
    refused: { 'connect-timeout': 2, 'not-connect': 1 },
    closed: { 'second-connect': 1, 'packet-timeout': 1 },
  });
});

t.test('mqtt guard - connections are capped per address and in all', async (t) => {
  const { open, client, broker } = await source(t, { limits: { connectionsPerAddressMax: 2 } });
  const first = await client({ id: '1' });
  await client({ id: '2' });
  const third = await open();
  await third.closed;
  t.same(broker.stats().refused, { 'address-limit': 1 });
  first.socket.destroy();
  await first.closed;
  // The server hears of the close on its own time: ask until there is room again.
  for (let i = 0; ; i++) {
    const next = await open();
    next.send(connect({ id: '3' }));
    if ((await next.next()) === CONNACK) break;
    if (i > 200) t.fail('no room after a close');
  }
});

t.test('mqtt guard - bytes that come one by one are the same packets', async (t) => {
  const { open } = await source(t);
  const dev = await open();
  dev.socket.setNoDelay(true);
  for (const byte of Buffer.concat([connect(), publish({ id: 258 }), PINGREQ])) dev.send(Buffer.from([byte]));
  const got = [await dev.next(), await dev.next(), await dev.next()];
  t.same(got.sort(), [CONNACK, puback(258), PINGRESP].sort());
});

t.test('mqtt keep-alive - a longer one is cut, not refused; a silent client is closed', async (t) => {
  const { client, broker } = await source(t, { limits: { keepaliveSecondsMax: 1 } });
  const dev = await client({ keepalive: 65_535 });
  await dev.closed; // after 1.5 s [MQTT-3.1.2-24]
  await until(() => broker.stats().connections === 0);
  t.same(broker.stats().closed, { keepalive: 1 });
});

t.test('mqtt logs - no topic, payload, client id or password', async (t) => {
  const { client, open, logs, intake } = await source(t);
  const stranger = await open();
  stranger.send(connect({ id: 'SECRETID', user: 'x', password: 'SECRETPW' }));
  await stranger.closed;
  const other = await client({ id: 'SECRETID' });
  intake.manual = true;
  other.send(publish({ topic: 'devices/SECRETTOPIC', payload: 'SECRETDATA' }));
  await intake.came(1);
  intake.appended[0]?.refuse('fault');
  await other.closed;
  t.ok(logs.length > 1);
  t.notMatch(JSON.stringify(logs), /SECRET/);
});

// ── TLS ────────────────────────────────────────────────────────────────────────────────────────────

const alg = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
x509.cryptoProvider.set(webcrypto as never);

async function authority(name: string) {
  const keys = (await webcrypto.subtle.generateKey(alg, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const times = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: `CN=${name}`,
    ...times,
    keys: keys as never,
    signingAlgorithm: alg,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  let serial = 1;
  const issue = async (commonName: string) => {
    const own = (await webcrypto.subtle.generateKey(alg, true, [
      'sign',
      'verify',
    ])) as webcrypto.CryptoKeyPair;
    const leaf = await x509.X509CertificateGenerator.create({
      serialNumber: `0${++serial}`,
      subject: `CN=${commonName}`,
      issuer: cert.subject,
      ...times,
      publicKey: own.publicKey as never,
      signingKey: keys.privateKey as never,
      signingAlgorithm: alg,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: commonName }])],
    });
    const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey));
    const body = der.toString('base64').replace(/(.{64})/g, '$1\n');
    const keyPem = `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----\n`;
    return { certPem: leaf.toString('pem'), keyPem };
  };
  return { caPem: cert.toString('pem'), issue };
}

t.test(
  'mqtt tls - the client certificate is the user; without or with a foreign one nobody gets in',
  async (t) => {
    const ca = await authority('Hospital CA');
    const server = await ca.issue('localhost');
    const mon = await ca.issue('mon-7');
    const pump = await ca.issue('pump-1');
    const other = await ca.issue('other');
    const foreign = await (await authority('Other CA')).issue('mon-7');
    const { port, intake, broker, logs } = await source(t, {
      anonymous: undefined as never,
      tls: { mode: 'required', ...server, caPem: ca.caPem },
      users: [
        { name: 'mon-7', publish: ['devices/%u/#'] },
        { name: 'pump-1', publish: ['site/%c/#'] },
      ],
    });
    const dial = async (own?: { certPem: string; keyPem: string }): Promise<RawClient> => {
      const identity = own ? { cert: own.certPem, key: own.keyPem } : {};
      const socket = tls.connect({
        port,
        host: '127.0.0.1',
        servername: 'localhost',
        ca: ca.caPem,
        ...identity,
      });
      t.teardown(() => socket.destroy());
      return new RawClient(socket);
    };
    const good = await dial(mon);
    good.send(
      connect({ id: 'anything' }),
      publish({ topic: 'devices/mon-7/x', id: 3, payload: Buffer.alloc(70_000) }),
    );
    t.same([await good.next(), await good.next()], [CONNACK, puback(3)]);
    const byCertificate = await dial(pump);
    byCertificate.send(connect({ id: 'pump-1' }), publish({ topic: 'site/pump-1/x', id: 4 }));
    t.same([await byCertificate.next(), await byCertificate.next()], [CONNACK, puback(4)]);
    const stranger = await dial(other);
    stranger.send(connect({ id: 'pump-1' }));
    t.equal(await stranger.next(), '20020005', 'a good certificate that names no user');
    const guessing = await dial(other);
    guessing.send(connect({ id: 'mon-7', user: 'mon-7', password: '' }));
    t.equal(await guessing.next(), '20020004', 'no password gives a user that has none');
    for (const bad of [undefined, foreign]) {
      const dev = await dial(bad);
      dev.send(connect({ id: 'mon-7' }));
      await dev.closed;
      t.same(dev.got, []);
    }
    t.equal(intake.records.length, 2);
    t.match(broker.stats().refused, { 'not-authorized': 1, credentials: 1, 'tls-handshake': 2 });
    t.same(
      logs.flatMap(({ fields }) => (fields.reason === 'tls-handshake' ? [fields.cause] : [])),
      ['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    );
  },
);

t.test(
  'mqtt tls - without issuers of its own no certificate is asked for, and none names a user',
  async (t) => {
    const ca = await authority('Hospital CA');
    const server = await ca.issue('localhost');
    const mon = await ca.issue('mon-7');
    const password = await hashPassword('pw');
    const { port } = await source(t, {
      anonymous: undefined as never,
      tls: { mode: 'optional', ...server },
      users: [{ name: 'mon-7', password, publish: ['devices/#'] }],
    });
    const { certPem: cert, keyPem: key } = mon;
    const dial = () =>
      new RawClient(
        tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: ca.caPem, cert, key }),
      );
    t.equal(await dial().send(connect()).next(), '20020005');
    t.equal(
      await dial()
        .send(connect({ user: 'mon-7', password: 'pw' }))
        .next(),
      CONNACK,
    );
  },
);

t.test('mqtt tls - who has not spoken yet is counted, and takes no place of others', async (t) => {
  const ca = await authority('Hospital CA');
  const server = await ca.issue('localhost');
  const { broker, port } = await source(t, {
    tls: { mode: 'optional', ...server, caPem: ca.caPem },
    limits: { connectionsMax: 10, connectionsPerAddressMax: 3 },
  });
  const silent = Array.from({ length: 50 }, () => {
    const socket = net.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.9' });
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
    return socket;
  });
  await until(() => broker.stats().refused['address-limit'] === 47);
  t.equal(broker.stats().connections, 3);
  const socket = tls.connect({ port, host: '127.0.0.1', servername: 'localhost', ca: ca.caPem });
  t.teardown(() => socket.destroy());
  const other = new RawClient(socket);
  other.send(connect());
  t.equal(await other.next(), CONNACK, 'another address is heard meanwhile');
  for (const one of silent) one.destroy();
  other.socket.destroy();
  await until(() => broker.stats().connections === 0);
});

t.test(
  'mqtt tls - optional: a password does, a foreign certificate does not; the guard sees clear text',
  async (t) => {
    const ca = await authority('Hospital CA');
    const server = await ca.issue('localhost');
    const foreign = await (await authority('Other CA')).issue('mon-7');
    const { port, broker, logs } = await source(t, {
      anonymous: undefined as never,
      tls: { mode: 'optional', ...server, caPem: ca.caPem },
      users: [{ name: 'u', password: await hashPassword('pw'), publish: ['devices/#'] }],
    });
    const options = { port, host: '127.0.0.1', servername: 'localhost', ca: ca.caPem };
    const dev = new RawClient(tls.connect(options));
    dev.send(connect({ user: 'u', password: 'pw' }));
    t.equal(await dev.next(), CONNACK);
    dev.send(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
    await dev.closed;
    const bad = new RawClient(tls.connect({ ...options, cert: foreign.certPem, key: foreign.keyPem }));
    bad.send(connect({ user: 'u', password: 'pw' }));
    await bad.closed;
    t.same(bad.got, []);
    await until(() => broker.stats().connections === 0);
    t.match(broker.stats(), { closed: { oversize: 1 }, refused: { 'tls-certificate': 1 } });
    t.match(
      logs.filter(({ fields }) => fields.reason === 'tls-certificate'),
      [{ fields: { cause: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', address: '127.0.0.1' } }],
    );
  },
);

// ── mosquitto's vectors ────────────────────────────────────────────────────────────────────────────

interface Vector {
  name: string;
  ver?: number;
  connect?: boolean;
  connack?: boolean;
  expect_disconnect?: boolean;
  msgs: { type: string; payload?: string }[];
}
interface VectorGroup {
  group: string;
  ver?: number;
  connect?: boolean;
  expect_disconnect?: boolean;
  tests: Vector[];
}

/** mosquitto's shorthand: hex, 'text', r<remaining length>, s<n> a length of two bytes, m<id>, k<keep-alive>. */
function vectorBytes(text: string): Buffer {
  const parts = text.match(/'[^']*'|\S+/g) ?? [];
  return Buffer.concat(
    parts.map((part) => {
      if (part.startsWith("'")) return Buffer.from(part.slice(1, -1));
      const number = Number(part.slice(1));
      if (part.startsWith('r')) return remaining(number);
      if (/^[smk]\d/.test(part)) return int16(number);
      return Buffer.from(part, 'hex');
    }),
  );
}

const corpus = path.resolve(process.env.HILUM_CORPUS ?? '../shared/corpus', 'mqtt/mosquitto/broker-packets');
const skip = existsSync(corpus) ? false : `no corpus at ${corpus}`;

/** Where the standard leaves a choice, or where this broker differs on purpose. */
const OTHERWISE: Record<string, string> = {
  // mosquitto answers levels it does not know in the form of MQTT 5; return code 1 is 3.1.1's own [MQTT-3.1.2-2].
  'v3.1   CONNECT 10 proto ver 2': 'closed 20020001',
  'v3.1   CONNECT 10 proto ver 6': 'closed 20020001',
  'v3.1.1 CONNECT 10 proto ver 2 [MQTT-3.1.2-2]': 'closed 20020001',
  'v3.1.1 CONNECT 10 proto ver 6 [MQTT-3.1.2-2]': 'closed 20020001',
  // The reserved flag had no meaning in 3.1; mqtt-packet wants it zero in either version.
  'v3.1   CONNECT 10 ok ': 'closed',
  'v3.1   CONNECT 14 ok ': 'closed',
  // Its password is not the user's here; a zero byte in it is no reason.
  'v3.1.1 CONNECT 10 Password with 0x0000': 'closed 20020004',
  // mosquitto closes at the third copy; the standard has no such number [MQTT-4.3.3-2].
  'v3.1.1 PUBLISH 34 QoS 2 Dup flow*3': 'open 500204d2 500204d2 500204d2',
  // Topics with $ are the broker's own.
  'v3.1.1 PUBLISH PUBLISH with $ topic': 'closed',
};

t.test(
  'mqtt corpus - every 3.1 and 3.1.1 vector closes or gets its answer, and the broker lives',
  { skip },
  async (t) => {
    const password = await hashPassword('p');
    const { open, client } = await source(t, {
      anonymous: { publish: ['#'] },
      users: [
        { name: 'p', password, publish: ['#'], subscribe: ['#'] },
        { name: '', password: await hashPassword(''), publish: ['#'] },
      ],
      limits: { connectTimeoutMs: 300 },
    });
    let count = 0;
    for (const file of readdirSync(corpus).sort()) {
      const groups = JSON.parse(readFileSync(path.join(corpus, file), 'utf8')) as VectorGroup[];
      for (const group of groups) {
        for (const vector of group.tests) {
          const version = vector.ver ?? group.ver;
          if (version !== 3 && version !== 4) continue;
          // Deliveries to a subscriber: their packet ids are the broker's choice, and no capture depends on them.
          if (vector.msgs.some((message) => message.type === 'external_publish')) continue;
          count++;
          const title = `${group.group} ${vector.name}`;
          const dev = await open();
          const connects = (vector.connect ?? group.connect) !== false && vector.connack !== false;
          if (connects) {
            dev.send(connect({ id: 'p', user: 'p', password: 'p' }));
            if ((await dev.next()) !== CONNACK) t.fail(`${title}: not connected`);
          }
          const wanted: string[] = [];
          const got: string[] = [];
          for (const message of vector.msgs) {
            if (message.type === 'send') {
              dev.send(vectorBytes(message.payload ?? ''));
            } else {
              wanted.push(vectorBytes(message.payload ?? '').toString('hex'));
              got.push(await dev.next());
            }
          }
          const closes = (vector.expect_disconnect ?? group.expect_disconnect) !== false;
          dev.socket.write(PINGREQ);
          const last = await dev.next();
          const state = last === 'closed' ? 'closed' : 'open';
          if (last !== 'closed' && last !== PINGRESP) got.push(last);
          const outcome = [state, ...got.filter((one) => one !== 'closed')].join(' ');
          const expected = OTHERWISE[title] ?? [closes ? 'closed' : 'open', ...wanted].join(' ');
          if (outcome !== expected) t.fail(`${title}: ${outcome}, expected ${expected}`);
          dev.socket.destroy();
          await dev.closed;
        }
      }
    }
    t.ok(count > 150, `${count} vectors`);
    const last = await client({ id: 'still-there' });
    last.send(publish());
    t.equal(await last.next(), puback(1));
  },
);
