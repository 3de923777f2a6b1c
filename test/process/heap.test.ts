/** What a large message leaves is collected when whoever handled it says so, not when the next allocation comes. */
import t from 'tap';
import { collectAfter } from '../../gateway/process/heap.ts';
import { until } from '../kit/wait.ts';

const mebibyte = 1024 ** 2;

t.test('heap - the copies of a large message go at once, though nothing is allocated after it', async (t) => {
  const before = process.memoryUsage().arrayBuffers;
  /** In a function of its own, so that no register holds the last one. */
  const handle = (bytes: number): number => Buffer.alloc(bytes, 1).reduce((sum, one) => sum + one, 0);
  t.equal(handle(48 * mebibyte), 48 * mebibyte);
  t.ok(process.memoryUsage().arrayBuffers > before + 40 * mebibyte, 'it stands there');
  t.equal(collectAfter(48 * mebibyte), true);
  const gone = await until(() => process.memoryUsage().arrayBuffers < before + 8 * mebibyte, {
    what: 'the copies being gone',
    timeoutMs: 30_000,
  });
  t.ok(gone);
  t.equal(collectAfter(64 * 1024), false, 'what is usual is the collector’s own business');
});
