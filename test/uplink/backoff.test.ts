/** How soon a gateway comes back: a session that ended soon is a failure, whatever the control plane said in it. */
import { status } from '@grpc/grpc-js';
import t from 'tap';
import { Backoff } from '../../gateway/uplink/backoff.ts';
import { Refusal, Welcome } from '../../proto/gen/hilum/v1/session.ts';
import { until } from '../kit/wait.ts';
import { quietUplink, speakingPlane } from './speaking-plane.ts';

t.test('back-off - anything up to a cap that doubles to 20 s', async (t) => {
  const backoff = new Backoff(() => 0.5);
  const waits = Array.from({ length: 8 }, () => backoff.next(0));
  t.same(waits, [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  t.equal(new Backoff(() => 0).next(0), 0);
});

t.test(
  'back-off - a session that lasted longer than the longest wait resets it, a short one counts',
  async (t) => {
    const backoff = new Backoff(() => 0.5);
    t.same([backoff.next(1), backoff.next(19_999), backoff.next(20_000)], [250, 500, 1_000]);
    t.equal(backoff.next(20_001), 250);
    t.equal(backoff.next(0), 500);
    backoff.reset();
    t.equal(backoff.next(0), 250);
  },
);

t.test('back-off - a control plane that greets and then refuses is asked less and less often', async (t) => {
  const { sessions, identity } = await speakingPlane(t);
  const waits: unknown[] = [];
  const uplink = quietUplink(identity, {
    random: () => 0.01,
    log: (_level, code, fields) => {
      if (code === 'uplink-ended') waits.push(fields?.retryMs);
    },
  });
  t.teardown(() => uplink.stop(0));
  uplink.start();
  for (let number = 0; number < 5; number += 1) {
    const session = await until(() => sessions[number]?.heard.includes('hello') && sessions[number], {
      what: `session ${number + 1}`,
    });
    session.say({ $case: 'welcome', value: Welcome.create() });
    session.say({ $case: 'refusal', value: Refusal.fromPartial({ code: 'store-full' }) });
  }
  await until(() => waits.length === 5, { what: 'five sessions' });
  t.same(waits, [5, 10, 20, 40, 80]);
});

t.test(
  'back-off - a line that breaks right after each Welcome is tried again as soon as the first time',
  async (t) => {
    const { sessions, identity } = await speakingPlane(t);
    const waits: unknown[] = [];
    let connected = 0;
    const uplink = quietUplink(identity, {
      random: () => 0.01,
      log: (_level, code, fields) => {
        if (code === 'uplink-connected') connected += 1;
        if (code === 'uplink-ended') waits.push(fields?.retryMs);
      },
    });
    t.teardown(() => uplink.stop(0));
    uplink.start();
    for (let number = 0; number < 4; number += 1) {
      const session = await until(() => sessions[number]?.heard.includes('hello') && sessions[number], {
        what: `session ${number + 1}`,
      });
      session.say({ $case: 'welcome', value: Welcome.create() });
      await until(() => connected === number + 1, { what: `welcome ${number + 1}` });
      // What a client sees of a connection that is gone.
      session.call.emit('error', { code: status.UNAVAILABLE });
      await until(() => waits.length === number + 1, { what: `end ${number + 1}` });
    }
    t.same(waits, [5, 5, 5, 5]);
  },
);
