/**
 * Group commit. One round is one transaction: everything that arrived while the earlier
 * rounds were being flushed goes into the next. Two rounds may be in flight; they settle
 * in order, and when one fails nothing later is answered: storage that failed once is not
 * trusted again, the process stops with exit 75 and recovers from disk.
 *
 *   append ─┐
 *   append ─┼─► open round ──► in flight 1 ──► in flight 2 ──► settled, waiters told in order
 *   ack    ─┘    (this turn)    (flushing)      (flushing)
 */
import type { Environment, Table } from '../process/lmdb.ts';

const roundsInFlightMax = 2;
/** A transaction stays small enough for lmdb to spill nothing. */
const roundBytesUsual = 8 * 1024 * 1024;
/**
 * When a round is to be on its way. `now`: somebody waits for it. `soon`: the next step does, and several flushes of
 * patience are small beside every budget. `later`: it only removes what is done with; each such flush would keep an
 * urgent record waiting, on two cores some 2 ms, so one serves all that was acknowledged meanwhile.
 */
export type Urgency = 'now' | 'soon' | 'later';

const patienceMs = { soon: 4, later: 40 } as const;
const stallAlarmMs = 5_000;
const stallFatalMs = 30_000;

export interface CommitterHooks {
  /** Storage failed or does not settle: nothing is answered any more; the process must exit. */
  onFault(code: 'commit-rejected' | 'commit-stalled', cause: unknown): void;
  onStall(ms: number): void;
  /** Queues what has to go into every round (counters, index entries) just before it is sealed. */
  beforeCommit(round: Round): void;
}

export interface Round {
  put(table: Table, key: Buffer, value: Uint8Array): void;
  remove(table: Table, key: Buffer): void;
  /** Counts bytes that `beforeCommit` will put, so that the round stays small enough. */
  weigh(bytes: number): void;
  /** Called in the order of registration once the round is on stable storage. */
  whenSettled(settled: () => void, failed?: (error: unknown) => void): void;
}

interface Write {
  table: Table;
  key: Buffer;
  value: Uint8Array | undefined;
}

interface OpenRound extends Round {
  writes: Write[];
  bytes: number;
  settled: (() => void)[];
  failed: ((error: unknown) => void)[];
  startedAtMs: number;
}

export interface Committer {
  /** The round that is open now; everything put into it in this turn commits together. */
  round(urgency?: Urgency): Round;
  /** Resolves when everything queued so far is settled. */
  drain(): Promise<void>;
  stop(): void;
  stats(): { rounds: number; roundsInFlight: number };
}

export function createCommitter(
  environment: Pick<Environment, 'write'>,
  hooks: CommitterHooks,
  roundBytesMax = roundBytesUsual,
): Committer {
  let open: OpenRound | undefined;
  let scheduled = false;
  /** Somebody waits for the open round. */
  let awaited = false;
  /** Its patience is over. */
  let due = false;
  let waiting: NodeJS.Timeout | undefined;
  /** What it waits for: the shortest patience that was asked for. */
  let patience: keyof typeof patienceMs = 'later';
  let faulted = false;
  let rounds = 0;
  let tail: Promise<void> = Promise.resolve();
  const inFlight: OpenRound[] = [];
  const watchdog = setInterval(() => {
    const oldest = inFlight[0];
    if (oldest === undefined) return;
    const ms = performance.now() - oldest.startedAtMs;
    if (ms > stallFatalMs)
      fault('commit-stalled', new Error(`a commit has not settled for ${Math.round(ms)} ms`));
    else if (ms > stallAlarmMs) hooks.onStall(ms);
  }, 1_000);
  watchdog.unref();

  function openRound(): OpenRound {
    const round: OpenRound = {
      writes: [],
      bytes: 0,
      settled: [],
      failed: [],
      startedAtMs: 0,
      put(table, key, value) {
        round.writes.push({ table, key, value });
        round.bytes += key.length + value.length;
      },
      remove(table, key) {
        round.writes.push({ table, key, value: undefined });
        round.bytes += key.length;
      },
      weigh(bytes) {
        round.bytes += bytes;
      },
      whenSettled(settled, failed) {
        round.settled.push(settled);
        if (failed !== undefined) round.failed.push(failed);
      },
    };
    return round;
  }

  function schedule(urgency: Urgency): void {
    if (faulted) return;
    if (urgency === 'now' || awaited) {
      awaited = true;
      launchSoon();
      return;
    }
    if (due || (waiting !== undefined && (urgency === 'later' || patience === 'soon'))) return;
    clearTimeout(waiting);
    patience = urgency;
    waiting = setTimeout(() => {
      waiting = undefined;
      due = true;
      launchSoon();
    }, patienceMs[urgency]);
  }

  function launchSoon(): void {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      if (mayLaunch()) launch();
    });
  }

  /** A round that nobody waits for leaves the second place to one that somebody does: an urgent record waits for one flush. */
  function mayLaunch(): boolean {
    return awaited ? inFlight.length < roundsInFlightMax : due && inFlight.length === 0;
  }

  function launch(): void {
    if (faulted || open === undefined || inFlight.length >= roundsInFlightMax) return;
    const round = open;
    open = undefined;
    awaited = false;
    due = false;
    clearTimeout(waiting);
    waiting = undefined;
    hooks.beforeCommit(round);
    round.startedAtMs = performance.now();
    inFlight.push(round);
    rounds += 1;
    const committed = environment.write(() => {
      for (const write of round.writes) {
        if (write.value === undefined) void write.table.remove(write.key);
        else void write.table.put(write.key, write.value as Buffer);
      }
    });
    tail = Promise.all([tail, committed]).then(
      () => settle(round),
      (error: unknown) => fault('commit-rejected', error),
    );
  }

  function settle(round: OpenRound): void {
    if (faulted) return;
    inFlight.shift();
    for (const settled of round.settled) settled();
    if (mayLaunch()) launch();
  }

  function fault(code: 'commit-rejected' | 'commit-stalled', cause: unknown): void {
    if (faulted) return;
    faulted = true;
    clearInterval(watchdog);
    hooks.onFault(code, cause);
    const lost = [...inFlight, ...(open === undefined ? [] : [open])];
    for (const round of lost) for (const failed of round.failed) failed(cause);
  }

  return {
    round(urgency = 'now') {
      open ??= openRound();
      if (open.bytes > roundBytesMax) launch();
      open ??= openRound();
      schedule(urgency);
      return open;
    },
    async drain() {
      while (!faulted && (open !== undefined || inFlight.length > 0)) {
        if (inFlight.length < roundsInFlightMax) launch();
        await tail;
      }
    },
    stop() {
      clearInterval(watchdog);
    },
    stats: () => ({ rounds, roundsInFlight: inFlight.length }),
  };
}
