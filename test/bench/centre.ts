/**
 * Reads the control plane's events as an admin client would, but only the few fields that the books want:
 * decoding millions of whole events here would take longer than the runs that made them.
 */
import { readFileSync } from 'node:fs';
import { BinaryReader } from '@bufbuild/protobuf/wire';
import * as grpc from '@grpc/grpc-js';
import { AdminService, StreamEventsRequest } from '../../proto/gen/hilum/v1/admin.ts';
import { controlPlaneName, wireLimits } from '../../proto/limits.ts';

export interface StoredMark {
  readonly controlId: string;
  /** n-th of its record's events. */
  readonly index: number;
  readonly storedAtUs: number;
}

/** Every stored event in pieces, from the oldest; of one class where it is named. */
export async function* storedEvents(context: string, only = ''): AsyncGenerator<StoredMark[]> {
  const { address, caPem, certPem, keyPem } = JSON.parse(readFileSync(context, 'utf8')) as Record<
    'address' | 'caPem' | 'certPem' | 'keyPem',
    string
  >;
  const [ca, cert, key] = [caPem, certPem, keyPem].map((pem) => Buffer.from(pem)) as [Buffer, Buffer, Buffer];
  const client = new grpc.Client(address, grpc.credentials.createSsl(ca, key, cert), {
    'grpc.max_receive_message_length': wireLimits.messageBytesMax,
    'grpc.enable_http_proxy': 0,
    'grpc.ssl_target_name_override': controlPlaneName,
  });
  try {
    const { path, requestSerialize } = AdminService.streamEvents;
    const request = StreamEventsRequest.fromPartial({ fromStart: true, class: only });
    const stream = client.makeServerStreamRequest(path, requestSerialize, markOf, request);
    let piece: StoredMark[] = [];
    for await (const mark of stream as AsyncIterable<StoredMark>) {
      if (mark.controlId !== '') piece.push(mark);
      if (piece.length < 1000) continue;
      yield piece;
      piece = [];
    }
    yield piece;
  } finally {
    client.close();
  }
}

// EventReply { event = 1 { provenance = 28 { message_control_id = 3, index = 17 } }, stored_at_us = 4 }
function markOf(bytes: Buffer): StoredMark {
  let [controlId, index, storedAtUs] = ['', 0, 0];
  fields(new BinaryReader(bytes), bytes.length, (field, reply) => {
    if (field === 4) storedAtUs = Number(reply.uint64());
    else if (field === 1) {
      const length = reply.uint32();
      fields(reply, reply.pos + length, (inEvent, event) => {
        if (inEvent !== 28) return false;
        const provenanceBytes = event.uint32();
        fields(event, event.pos + provenanceBytes, (inProvenance, provenance) => {
          if (inProvenance === 3) controlId = provenance.string();
          else if (inProvenance === 17) index = provenance.uint32();
          else return false;
          return true;
        });
        return true;
      });
    } else return false;
    return true;
  });
  return { controlId, index, storedAtUs };
}

/** Walks fields up to `end`; what `take` does not read is skipped. */
function fields(
  reader: BinaryReader,
  end: number,
  take: (field: number, reader: BinaryReader) => boolean,
): void {
  while (reader.pos < end) {
    const [field, wireType] = reader.tag();
    if (!take(field, reader)) reader.skip(wireType);
  }
}
