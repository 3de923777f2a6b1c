import { readFileSync } from 'node:fs';
import { normalizeHl7v2 } from '/work/main/gateway/normalize/hl7v2/index.ts';
import { ClinicalEvent } from '/work/main/proto/gen/hilum/v1/event.ts';
import { testContext } from '/work/main/test/normalize/context.ts';

const r = normalizeHl7v2(readFileSync(process.argv[2]!), testContext({ attachmentBytesMax: 50 }));
console.log(
  r.reject ?? '',
  JSON.stringify(
    r.events.slice(0, Number(process.argv[3] ?? 1)).map((e) => ClinicalEvent.toJSON(e)),
    null,
    1,
  ),
);
