/** What a session asked for is answered to that session, or to none: the next one has not even been welcomed yet. */
import t from 'tap';
import { PayloadRequest, ReplayRequest, Welcome } from '../../proto/gen/hilum/v1/session.ts';
import { until } from '../kit/wait.ts';
import { quietUplink, speakingPlane } from './speaking-plane.ts';

for (const asked of ['replay', 'payload'] as const) {
  t.test(`uplink - the answer to a ${asked} of a session that ended is written to no other`, async (t) => {
    const { sessions, identity } = await speakingPlane(t);
    let answer: (() => void) | undefined;
    const later = <T>(value: T) =>
      new Promise<T>((resolve) => {
        answer = () => resolve(value);
      });
    const uplink = quietUplink(identity, {
      onTakeOut: () => later({ replayed: 1, missing: 0, outcomes: [] }),
      onPayload: () => later({ found: true, raw: new Uint8Array(1), record: undefined } as never),
    });
    t.teardown(() => uplink.stop(0));
    uplink.start();
    const session = (number: number) =>
      until(() => sessions[number]?.heard.includes('hello') && sessions[number], {
        what: `session ${number + 1}`,
      });

    const first = await session(0);
    first.say({ $case: 'welcome', value: Welcome.create() });
    first.say(
      asked === 'replay'
        ? {
            $case: 'replay',
            value: ReplayRequest.fromPartial({ request: '7', recordSequences: [1n] }),
          }
        : {
            $case: 'payload',
            value: PayloadRequest.fromPartial({ request: '7', recordSequence: 1n }),
          },
    );
    await until(() => answer !== undefined, { what: 'the question being asked' });
    first.call.end();
    const second = await session(1);
    answer?.();
    await new Promise((resolve) => setImmediate(resolve));
    // Frames of a stream keep their order: a ping behind it shows that nothing was written before.
    second.say({ $case: 'welcome', value: Welcome.create() });
    await until(() => second.heard.includes('ping'), { what: 'the second session being used' });
    t.same(second.heard.slice(0, 2), ['hello', 'ping']);
    t.notOk(second.heard.some((frame) => frame === 'replayResult' || frame === 'payload'));
  });
}
