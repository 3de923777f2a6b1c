/** What doctor makes of the status of a gateway that runs. */
import t from 'tap';
import { Refusals } from '../../gateway/capture/refusals.ts';
import { checkRunning } from '../../gateway/doctor-running.ts';
import type { RunningStatus } from '../../gateway/running-status.ts';

const well: RunningStatus = {
  pid: 1,
  ready: true,
  notReady: '',
  gateway: 'north',
  site: 'north',
  version: '1',
  enrolled: true,
  settings: { file: '', digest: '' },
  uplink: {
    state: 'connected',
    reason: '',
    address: 'centre:7443',
    proxy: '',
    lastAckAtUs: '0',
    connects: 1,
    clockOffsetUs: '0',
  },
  listeners: [],
  config: {
    desired: { version: '0' },
    running: { version: '0', outcome: '' },
    attempted: { version: '0', outcome: '' },
  },
  journal: {
    state: 'open',
    bytes: '0',
    bytesMax: '1',
    fileBytes: '0',
    freeBytes: '1',
    reserveHeldBytes: '0',
    reusableBytes: '0',
    oldestPendingAtUs: '0',
    lanes: [],
    refusals: 0,
    memory: {},
    recoveredMs: 0,
  },
  custody: [],
  destinations: [],
  notAccepted: [],
  shares: [],
  unmapped: [],
  critical: [],
  clocks: [],
  circuits: [],
  once: [],
  failedRules: [],
  latency: [],
  alarms: [],
};

/** All but that it runs. */
function findings(status: Partial<RunningStatus>) {
  const found: { code: string; message: string; todo: string }[] = [];
  checkRunning({ ...well, ...status }, undefined, (_check, _state, code, message, todo = '') => {
    if (code !== 'running') found.push({ code, message, todo });
  });
  return found;
}

t.test('doctor - an alarm says when, and what to do about a journal that went back in time', async (t) => {
  const atUs = String(Date.UTC(2026, 10, 23, 8) * 1000);
  t.match(findings({ alarms: [{ code: 'journal-restored', atUs }] }), [
    {
      code: 'journal-restored',
      message: /an older copy of the data was put back.*, last at 2026-11-23 08:00:00\.000 UTC$/,
      todo: /senders have to send it again\. If nobody did: another process may run with this identity/,
    },
  ]);
  t.match(findings({ alarms: [{ code: 'run-not-noted', atUs }] }), [
    { message: /^the gateway raised run-not-noted, last at 2026-11-23/, todo: /log/ },
  ]);
});

t.test('doctor - a line that the other end closes makes one think of a second process', async (t) => {
  const waiting = (reason: string) =>
    findings({ uplink: { ...well.uplink, state: 'waiting', reason } }).map(({ todo }) => todo);
  t.match(waiting('ended-by-peer'), [/another process may run with this identity.*gateway-twice/]);
  t.notMatch(waiting('no-connection'), [/another process/]);
});

t.test(
  'doctor - of several causes for which a listener refuses, the most frequent that still comes',
  async (t) => {
    const nowUs = Date.now() * 1000;
    const hours = (count: number) => nowUs - count * 3_600_000_000;
    const refusals = new Refusals();
    const note = (times: number, atUs: number, detail: string) => {
      for (let each = 0; each < times; each += 1)
        refusals.note('tls', atUs, { address: `10.0.0.${detail.length}`, detail });
    };
    note(9, hours(2), 'CERT_HAS_EXPIRED');
    note(5, nowUs, 'ERR_SSL_WRONG_VERSION_NUMBER');
    note(1, nowUs, 'DEPTH_ZERO_SELF_SIGNED_CERT');
    const listener = {
      name: 'lab',
      type: 'mllp',
      address: 'a:1',
      state: 'listening',
      tls: 'x',
      counters: {},
    };
    const refused = refusals.all().map(({ causes, ...one }) => ({
      ...one,
      atUs: String(one.atUs),
      causes: causes.map((cause) => ({ ...cause, atUs: String(cause.atUs) })),
    }));
    t.match(findings({ listeners: [{ ...listener, refused }] }), [
      {
        message:
          /^lab refused 15 connections \(tls: ERR_SSL_WRONG_VERSION_NUMBER, 5 of them\), the last of these from 10\.0\.0\.28 /,
        todo: /speaks without TLS/,
      },
    ]);
  },
);

t.test('doctor - a clock of this host that is minutes beside that of the centre is told', async (t) => {
  const beside = (clockOffsetUs: string) => findings({ uplink: { ...well.uplink, clockOffsetUs } });
  t.match(beside('86400000000'), [{ code: 'clock-offset', message: /24 h 0 min ahead of that/ }]);
  t.match(beside('-90000000'), [{ code: 'clock-offset', message: /90\.0 s behind that/ }]);
  t.same(beside('-59000000'), []);
});
