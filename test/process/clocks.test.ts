/** Clocks of sources: what delay, backlog, zones and single wrong times make of the measure. */
import t from 'tap';
import { Clocks, type SourceClockState } from '../../gateway/clocks.ts';
import { clockText } from '../../gateway/process/clock-text.ts';
import { seededRandom, seedOfThisRun } from '../kit/random.ts';

const minuteUs = 60_000_000;
const startUs = Date.UTC(2026, 10, 25, 8) * 1000;
const seed = seedOfThisRun();

interface Message {
  /** After the start. */
  atUs: number;
  skewMs: number;
  delayMs?: number;
  stepMs?: number;
}

function measure(messages: readonly Message[], limitMs = 60_000) {
  const warnings: SourceClockState[] = [];
  const clocks = new Clocks({ limitMs: () => limitMs, onWarning: (clock) => warnings.push(clock) });
  for (const { atUs, skewMs, delayMs = 0, stepMs = 1_000 } of messages) {
    const capturedAtUs = startUs + atUs;
    const sentMs = capturedAtUs / 1000 - delayMs + skewMs;
    // What a sender with this resolution writes.
    const aheadMs = Math.floor(sentMs / stepMs) * stepMs - capturedAtUs / 1000;
    clocks.count('lab', {
      ...{ sequence: 1, lane: 'routine', results: 0, unflagged: 0 },
      ...{ capturedAtUs, aheadMs, stepMs, assumed: 'Europe/Berlin' },
    });
  }
  return { clock: clocks.all()[0], warnings, text: clockText(clocks.report()[0] ?? none), clocks };
}

const none = { verdict: 'none', aheadUs: 0n, zoneUs: 0n, assumed: '' };

/** One a second for so many minutes. */
function minutes(count: number, of: (n: number) => Omit<Message, 'atUs'>): Message[] {
  return Array.from({ length: count * 60 }, (_, n) => ({ atUs: n * 1_000_000 + 137_000, ...of(n) }));
}

t.test(`clocks - a skew is found to a second through delays of up to 20 s (seed ${seed})`, async (t) => {
  const random = seededRandom(seed);
  for (const skewMs of [0, 4_000, -4_000, 90_000, -400_000, 3_000_000]) {
    const { clock, warnings } = measure(minutes(20, () => ({ skewMs, delayMs: random() ** 3 * 20_000 })));
    const off = (clock?.aheadMs ?? 0) - skewMs;
    t.ok(off <= 0 && off > -1_500, `${skewMs} ms was measured as ${clock?.aheadMs}`);
    t.equal(clock?.verdict, Math.abs(skewMs) < 60_000 ? 'ok' : skewMs > 0 ? 'ahead' : 'behind');
    t.equal(warnings.length, Math.abs(skewMs) < 60_000 ? 0 : 1, 'it is warned of once');
  }
});

t.test('clocks - a whole number of quarter hours is a zone, not a skew', async (t) => {
  for (const minutesOff of [60, -60, 120, -300, 345, 330]) {
    const { clock, warnings, text } = measure(minutes(20, () => ({ skewMs: minutesOff * 60_000 + 7_000 })));
    t.match(clock, { verdict: 'zone', zoneMs: minutesOff * 60_000 });
    t.match(warnings, [{ verdict: 'zone' }]);
    t.match(text, /wrong zone\? \(times are read with Europe\/Berlin\)/);
  }
  const { clock } = measure(minutes(20, () => ({ skewMs: 67 * 60_000 })));
  t.match(clock, { verdict: 'ahead', zoneMs: 0 }, 'seven minutes beside it are no zone');
});

t.test('clocks - a backlog is late messages, and then the clock is seen again', async (t) => {
  const drain = minutes(10, (n) => ({ skewMs: 2_000, delayMs: Math.max(0, 2 * 3_600_000 - n * 12_000) }));
  const first = measure(drain.slice(0, 20));
  t.equal(first.clock?.verdict, 'late', 'what is behind is no clock yet');
  t.same(first.warnings, []);
  const { clock, warnings } = measure([...drain, ...minutes(30, () => ({ skewMs: 2_000 })).map(later(10))]);
  t.match(clock, { verdict: 'ok' });
  t.ok(Math.abs((clock?.aheadMs ?? 0) - 2_000) < 1_500);
  t.same(warnings, []);
});

function later(byMinutes: number) {
  return (message: Message) => ({ ...message, atUs: message.atUs + byMinutes * minuteUs });
}

t.test('clocks - one message from next year changes nothing, nor do two of them', async (t) => {
  const messages = minutes(30, (n) => ({ skewMs: n === 700 || n === 1_500 ? 365 * 86_400_000 : 0 }));
  const { clock, warnings } = measure(messages);
  t.match(clock, { verdict: 'ok' });
  t.ok((clock?.spreadMs ?? 0) > 86_400_000, 'but it is seen in the spread');
  t.same(warnings, []);
});

t.test('clocks - two messages are too few, times to the minute are allowed their minute', async (t) => {
  const two = measure(minutes(1, () => ({ skewMs: 4_000_000 })).slice(0, 2));
  t.match(two.clock, { verdict: 'unknown' });
  t.equal(two.text, 'too few messages');
  const coarse = minutes(20, () => ({ skewMs: 100_000, stepMs: 60_000 }));
  t.match(measure(coarse).clock, { verdict: 'ok' });
  t.match(measure(minutes(20, () => ({ skewMs: 100_000 }))).clock, { verdict: 'ahead' });
});

t.test('clocks - a clock that was set right is well again after the window has moved', async (t) => {
  const wrong = minutes(30, () => ({ skewMs: 300_000 }));
  const right = minutes(40, () => ({ skewMs: 0 })).map(later(30));
  const { clock, warnings } = measure([...wrong, ...right]);
  t.match(clock, { verdict: 'ok' });
  t.equal(warnings.length, 1);
});

t.test('clocks - counting a message costs little', async (t) => {
  const { clocks } = measure(minutes(1, () => ({ skewMs: 0 })));
  const result = {
    sequence: 1,
    lane: 'routine' as const,
    results: 0,
    unflagged: 0,
    aheadMs: -12,
    stepMs: 1_000,
  };
  const before = performance.now();
  const count = 200_000;
  for (let n = 0; n < count; n += 1) clocks.count('lab', { ...result, capturedAtUs: startUs + n * 1_000 });
  t.comment(`${(((performance.now() - before) * 1_000) / count).toFixed(3)} µs a message`);
  t.match(clocks.all()[0], { verdict: 'ok' });
});
