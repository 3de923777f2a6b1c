/** How far this clock is from the control plane's, by pings [RFC 5905 8]. */
import t from 'tap';
import { ClockMeasure } from '../../gateway/uplink/clock.ts';

const startUs = 1_700_000_000_000_000;
const hourUs = 3_600_000_000;

t.test(
  'uplink clock - a clock that is ahead has a positive offset, known to half the round trip',
  async (t) => {
    const clock = new ClockMeasure();
    exchange(clock, startUs, { aheadUs: 5_000, outUs: 400, backUs: 600 });
    t.equal(clock.uncertaintyUs, 500);
    t.ok(Math.abs(clock.offsetUs - 5_000) <= clock.uncertaintyUs, `${clock.offsetUs} µs`);
  },
);

t.test('uplink clock - a worse measure is not taken until the better one is a minute old', async (t) => {
  const clock = new ClockMeasure();
  exchange(clock, startUs, { aheadUs: 0, outUs: 100, backUs: 100 });
  exchange(clock, startUs + 30_000_000, { aheadUs: 0, outUs: 90_000, backUs: 10_000 });
  t.same([clock.offsetUs, clock.uncertaintyUs], [0, 100]);
  exchange(clock, startUs + 61_000_000, { aheadUs: 0, outUs: 3_000, backUs: 1_000 });
  t.same([clock.offsetUs, clock.uncertaintyUs], [-1_000, 2_000]);
  exchange(clock, startUs + 62_000_000, { aheadUs: 700, outUs: 50, backUs: 50 });
  t.same([clock.offsetUs, clock.uncertaintyUs], [700, 50], 'a better one is taken at once');
});

t.test(
  'uplink clock - a step of this clock ends a better measure of before it, and a trip across it is none',
  async (t) => {
    const clock = new ClockMeasure();
    exchange(clock, startUs, { aheadUs: 0, outUs: 100, backUs: 100 });
    const { nonce, sentAtUs } = clock.ping(startUs + 10_000_000);
    const peerUs = BigInt(startUs + 10_000_100);
    const back = startUs + 10_000_200 - hourUs;
    clock.pong({ nonce, pingSentAtUs: sentAtUs, receivedAtUs: peerUs, sentAtUs: peerUs }, back, 10_000, 0);
    t.same([clock.offsetUs, clock.uncertaintyUs], [0, 100], 'it was set back between ping and pong');
    exchange(
      clock,
      startUs + 20_000_000 - hourUs,
      { aheadUs: -hourUs, outUs: 300, backUs: 300 },
      { elapsedMs: 20_000, steadyMs: 9_000 },
    );
    t.same([clock.offsetUs, clock.uncertaintyUs], [-hourUs, 300]);
  },
);

t.test('uplink clock - every ping has a nonce of its own', async (t) => {
  const clock = new ClockMeasure();
  t.not(clock.ping(startUs).nonce, clock.ping(startUs).nonce);
});

/** A ping at `sentUs` of this clock, which is `aheadUs` of the peer's. The peer takes 200 µs to answer. */
function exchange(
  clock: ClockMeasure,
  sentUs: number,
  { aheadUs, outUs, backUs }: { aheadUs: number; outUs: number; backUs: number },
  { elapsedMs = (sentUs - startUs) / 1000, steadyMs = Number.POSITIVE_INFINITY } = {},
): void {
  const { nonce, sentAtUs } = clock.ping(sentUs);
  const receivedUs = sentUs - aheadUs + outUs;
  const answeredUs = receivedUs + 200;
  const pong = {
    nonce,
    pingSentAtUs: sentAtUs,
    receivedAtUs: BigInt(receivedUs),
    sentAtUs: BigInt(answeredUs),
  };
  clock.pong(pong, answeredUs + aheadUs + backUs, elapsedMs, steadyMs);
}
