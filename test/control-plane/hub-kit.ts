/** Sessions over the real parts of a control plane and a real store, whose writes can be looked at and held. */
import { AuditChain } from '../../control-plane/audit/chain.ts';
import { ToldEntries } from '../../control-plane/audit/told.ts';
import { Codes } from '../../control-plane/codes/codes.ts';
import { Configs } from '../../control-plane/config/configs.ts';
import { runningAt } from '../../control-plane/config/running.ts';
import { EventLog } from '../../control-plane/eventlog/eventlog.ts';
import { type HubState, hubOf } from '../../control-plane/hub.ts';
import { Registry } from '../../control-plane/identity/registry.ts';
import { QuarantineIndex } from '../../control-plane/quarantine/quarantine.ts';
import { type Objection, type Received, readFrame } from '../../control-plane/session/door.ts';
import { type Line, Sessions } from '../../control-plane/session/sessions.ts';
import { openLmdbStore } from '../../control-plane/store/lmdb-store.ts';
import { Room } from '../../control-plane/store/room.ts';
import type { Row, Store } from '../../control-plane/store/store.ts';
import { TelemetryStore } from '../../control-plane/telemetry/telemetry.ts';
import { AuditEntry, GatewayFrame, Hello, type PlaneFrame } from '../../proto/gen/hilum/v1/session.ts';
import { until } from '../kit/wait.ts';

/** A certificate that does not end. */
export const farAheadUs = 2n ** 62n;

export type Said = NonNullable<PlaneFrame['frame']>;

const key = Buffer.alloc(32, 3);
const nowUs = () => 1n;

/** A config of this site, as a push makes it. */
export function pushed(state: Pick<HubState, 'configs' | 'audit'>, site: string, yaml: string) {
  const config = { site, yaml, author: 'ann', reason: 'test' };
  return state.configs.add(config, (row) => state.audit.addAll([], [row]));
}

export async function openCentre(directory: string) {
  const store = await openLmdbStore({
    directory,
    key,
    onFault(cause) {
      throw cause;
    },
  });
  const writes: (readonly Row[])[] = [];
  let gate: Promise<void> | undefined;
  let unsettled = 0;
  let full = false;
  const watched: Store = {
    get: (table, key) => store.get(table, key),
    range: (table, range) => store.range(table, range),
    page: (table, range) => store.page(table, range),
    turn: () => store.turn(),
    hasRoom: (bytes) => !full && store.hasRoom(bytes),
    close: () => store.close(),
    async write(rows) {
      writes.push(rows);
      unsettled += 1;
      try {
        // A flush that takes its time: visible and durable only then, as with any engine.
        await gate;
        await store.write(rows);
      } finally {
        unsettled -= 1;
      }
    },
  };
  const configs = new Configs(watched, nowUs);
  const registry = new Registry(watched);
  const state: HubState = {
    registry,
    eventLog: new EventLog(watched, key, nowUs),
    configs,
    codes: new Codes(watched, configs, (site) => runningAt({ registry, configs }, site)),
    audit: new AuditChain(watched, nowUs),
    told: new ToldEntries(watched),
    telemetry: new TelemetryStore(watched),
    quarantine: new QuarantineIndex(watched),
    room: new Room(watched, () => {}),
  };
  for (const part of [state.registry, state.eventLog, configs, state.codes, state.audit, state.telemetry])
    await part.open();
  const sessions = new Sessions(hubOf(state, () => {}));

  /** A stream of a gateway that has said its Hello. */
  const begin = (gateway: string, epoch: bigint, more: Partial<Hello> = {}) => {
    const said: Said[] = [];
    const line: Line = {
      send: ({ frame }) => {
        if (frame !== undefined) said.push(frame);
      },
      close: () => {},
      peer: '127.0.0.1',
    };
    const session = sessions.open(line, {
      name: gateway,
      serial: '01',
      role: 'gateway',
      expiresAtUs: farAheadUs,
    });
    const say = (frame: GatewayFrame['frame']) => session.receive(incoming(frame));
    say({ $case: 'hello', value: Hello.fromPartial({ gateway, epoch, ...more }) });
    return { say, said, hangUp: () => session.ended() };
  };
  /** And has its Welcome. */
  const connect = async (gateway: string, epoch: bigint) => {
    const stream = begin(gateway, epoch);
    await until(() => stream.said.some(({ $case }) => $case === 'welcome'), { what: 'the welcome' });
    return stream;
  };
  const settled = () => until(() => unsettled === 0, { what: 'every write' });

  return {
    state,
    sessions,
    writes,
    begin,
    connect,
    /** No write is under way. */
    settled,
    store: watched,
    async close() {
      await settled();
      await store.close();
    },
    /** Writes wait from here on until what is returned is called. */
    hold(): () => void {
      let release = () => {};
      gate = new Promise((resolve) => {
        release = () => {
          gate = undefined;
          resolve();
        };
      });
      return release;
    },
    /** The volume is at its reserve, or has room again. */
    fill(to: boolean) {
      full = to;
    },
    /** What the trail holds of an action, in its order. */
    subjects: async (action: string) =>
      (await state.audit.list(0n, 10_000)).filter((one) => one.action === action).map((one) => one.subject),
  };
}

/** A frame as it comes in through the door. */
export function incoming(frame: GatewayFrame['frame']): Received | Objection {
  return readFrame(GatewayFrame.encode(GatewayFrame.fromPartial({ frame })).finish());
}

/** An audit report with these entries; each says its own number, unless `what` makes it another one. */
export function auditReport(first: number, count: number, what = 'entry'): GatewayFrame['frame'] {
  const entries = Array.from({ length: count }, (_, at) =>
    AuditEntry.fromPartial({
      number: BigInt(first + at),
      atUs: BigInt(1_000 + first + at),
      action: 'listener-plain',
      subject: `${what} ${first + at}`,
    }),
  );
  return { $case: 'audit', value: { entries } };
}

export function auditAcks(said: readonly Said[]): number[] {
  return said.flatMap((frame) => (frame.$case === 'auditAck' ? [Number(frame.value.through)] : []));
}
