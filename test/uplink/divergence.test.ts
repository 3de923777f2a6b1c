/** What a journal makes of the event that the control plane has at its last position. */
import t from 'tap';
import { Divergence } from '../../gateway/uplink/divergence.ts';
import type { Lane } from '../../gateway/uplink/lane.ts';
import { Envelope, LaneAck } from '../../proto/gen/hilum/v1/session.ts';
import { identityOf } from '../../proto/same-event.ts';
import { batchElement } from '../../proto/wire.ts';

const epoch = 7n;
const recordSha256 = Buffer.alloc(32, 1);
const ours = Envelope.fromPartial({ recordSequence: 5n, capturedAtUs: 1_000n, index: 1, recordSha256 });
const lane = { lane: 'routine' as Lane, first: 4, last: 6 };

/** An ack of position 5, as a Welcome has it. */
const at = (event: Envelope | undefined, hash: Uint8Array = recordSha256) =>
  LaneAck.fromPartial({
    ...{ epoch, lane: 'routine', sequence: 5n, recordSha256: hash },
    ...(event === undefined ? {} : { event: identityOf(event) }),
  });

function journal() {
  const doubts: string[] = [];
  const held = {
    epoch,
    lanes: () => [lane],
    parcel: () => ({ chunks: [batchElement(Envelope.encode(ours).finish())] }),
    acked: () => true,
  };
  return { doubts, divergence: new Divergence(held, (one) => doubts.push(one)) };
}

t.test('divergence - the same event is ours, whatever else its envelope says', async (t) => {
  const { divergence, doubts } = journal();
  t.ok(divergence.believes(lane, at({ ...ours, normalizedAtUs: 9n, source: 'lab' })));
  t.same(doubts, []);
});

t.test('divergence - equal bytes of another record are not ours', async (t) => {
  for (const change of [{ recordSequence: 6n }, { capturedAtUs: 1_001n }, { index: 2 }]) {
    const { divergence, doubts } = journal();
    t.notOk(divergence.believes(lane, at({ ...ours, ...change })));
    t.same(doubts, ['routine']);
    t.notOk(divergence.held('routine'), 'it is offered again, to find out where it parts');
  }
});

t.test('divergence - of an earlier control plane’s word the hash is believed', async (t) => {
  t.ok(journal().divergence.believes(lane, at(undefined)));
  t.notOk(journal().divergence.believes(lane, at(undefined, Buffer.alloc(32, 2))));
});

t.test(
  'divergence - once it is known where a lane parts, it and all others wait for the new epoch',
  async (t) => {
    const { divergence } = journal();
    divergence.believes(lane, at({ ...ours, recordSequence: 6n }));
    t.notOk(divergence.known());
    t.ok(divergence.partedAt(at(undefined)));
    t.ok(divergence.known() && divergence.held('routine') && divergence.held('stat'));
    t.notOk(divergence.believes(lane, at(ours)), 'and nothing that a Welcome says takes it back');
    divergence.forget();
    t.notOk(divergence.known() || divergence.held('routine') || divergence.held('stat'));
  },
);
