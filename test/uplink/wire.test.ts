/** A batch put together from stored envelopes is the batch that the contract describes. */
import t from 'tap';
import { GatewayFrame } from '../../proto/gen/hilum/v1/session.ts';
import {
  batchElement,
  batchElementEnd,
  encodeBatchFrame,
  lengthBytes,
  writeElementHead,
} from '../../proto/wire.ts';
import { below, seededRandom, seedOfThisRun } from '../kit/random.ts';

t.test(
  'wire - a frame of stored envelopes decodes as the batch that generated code would have sent',
  async (t) => {
    const seed = seedOfThisRun();
    t.comment(`seed ${seed} (HILUM_SEED=${seed} repeats this run)`);
    const random = seededRandom(seed);
    for (let round = 0; round < 200; round += 1) {
      const envelopes = Array.from({ length: 1 + below(random, 20) }, () =>
        Buffer.alloc(below(random, [1, 130, 17_000, 70_000][below(random, 4)] as number), below(random, 256)),
      );
      const value = {
        epoch: 0xffff_ffff_ffff_ffffn - BigInt(below(random, 1000)),
        lane: ['stat', 'urgent', 'routine', 'bulk'][below(random, 4)] as string,
        firstSequence: BigInt(1 + below(random, 2 ** 31)),
        envelopes,
        queuedAtUs: envelopes.map(() => BigInt(1_700_000_000_000_000 + below(random, 2 ** 31))),
        sentAtUs: 1_700_000_000_123_456n,
      };
      const elements = envelopes.map(batchElement);
      // However the elements are cut into chunks.
      const cut = below(random, elements.length + 1);
      const chunks = [Buffer.concat(elements.slice(0, cut)), Buffer.concat(elements.slice(cut))];
      const frame = encodeBatchFrame({ ...value, queuedAtUs: value.queuedAtUs.map(Number), chunks });
      const generated = GatewayFrame.encode({ frame: { $case: 'batch', value } }).finish();
      const same = GatewayFrame.decode(frame);
      if (frame.length !== generated.length) t.fail(`${frame.length} bytes, not ${generated.length}`);
      if (!Buffer.from(GatewayFrame.encode(same).finish()).equals(Buffer.from(generated)))
        t.fail(`round ${round} decodes as something else`);
    }
    t.pass('200 frames');
  },
);

t.test('wire - an element tells where it ends, whatever its length', async (t) => {
  for (const length of [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 20_000_000]) {
    const element = batchElement(Buffer.alloc(length));
    t.equal(element.length, 1 + lengthBytes(length) + length, `${length} bytes`);
    t.equal(batchElementEnd(element, 0), element.length);
    const target = Buffer.alloc(8);
    t.equal(writeElementHead(target, 0, length), element.length - length);
  }
});
