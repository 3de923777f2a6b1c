/** How far this clock is from the control plane's, by pings [RFC 5905 8]. */
import t from 'tap';
import { ClockMeasure } from '../../gateway/uplink/clock.ts';

const startUs = 1_700_000_000_000_000;

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

t.test('uplink clock - every ping has a nonce of its own', async (t) => {
  const clock = new ClockMeasure();
  t.not(clock.ping(startUs).nonce, clock.ping(startUs).nonce);
});

/** A ping at `sentUs` of this clock, which is `aheadUs` of the peer's. The peer takes 200 µs to answer. */
function exchange(
  clock: ClockMeasure,
  sentUs: number,
  { aheadUs, outUs, backUs }: { aheadUs: number; outUs: number; backUs: number },
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
  clock.pong(pong, answeredUs + aheadUs + backUs);
}
