/**
 * What the disk itself gives one thread: write + fdatasync, appending and overwriting. The flush is the price,
 * not the bytes. Prints one JSON line.
 *
 *   node append-fdatasync.js --dir DIR [--seconds 2]
 */
import { closeSync, fdatasyncSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { histogram, recordMs, spreadOf } from './latency.ts';

const { values } = parseArgs({
  options: { dir: { type: 'string' }, seconds: { type: 'string', default: '2' } },
});
if (values.dir === undefined) throw new Error('--dir is missing');
const path = join(values.dir, 'append.bin');

function measure(bytes: number, overwrite: boolean) {
  const fd = openSync(path, 'w');
  const block = Buffer.alloc(bytes, 65);
  if (overwrite) writeSync(fd, block, 0, bytes, 0);
  fdatasyncSync(fd);
  const latency = histogram();
  const startedAt = performance.now();
  const endAt = startedAt + Number(values.seconds) * 1000;
  let count = 0;
  for (let now = startedAt; now < endAt; count += 1) {
    writeSync(fd, block, 0, bytes, overwrite ? 0 : count * bytes);
    fdatasyncSync(fd);
    const after = performance.now();
    recordMs(latency, after - now);
    now = after;
  }
  const rate = count / ((performance.now() - startedAt) / 1000);
  ftruncateSync(fd, 0);
  closeSync(fd);
  rmSync(path);
  return { rate: Math.round(rate), ...spreadOf(latency) };
}

const figures = {
  append1k: measure(1024, false),
  overwrite1k: measure(1024, true),
  append64k: measure(65_536, false),
};
console.log(JSON.stringify({ bench: 'append-fdatasync', ...figures }));
