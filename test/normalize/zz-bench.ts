import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { testContext } from './context.ts';

const head = [
  'MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500||ORU^R01^ORU_R01|M00001|P|2.5.1',
  'PID|1||4711^^^HOSP^MR||MUSTER^ERIKA^ANNA||19640812|F|||HAUPTSTR. 1^^BERLIN^^10115^DE',
  'PV1|1|I|W1^12^B^HOSP||||1234^ARZT^ANNA|||||||||||V123^^^HOSP^VN',
  'ORC|RE|P1^EHR|F1^LAB',
  'OBR|1|P1^EHR|F1^LAB|CBC^Blood count^L|||20261123074500|||||||||1234^ARZT^ANNA||||||20261123081400||LAB|F',
];
const obx = (i: number) =>
  `OBX|${i}|NM|718-${i}^Hemoglobin^LN||${7 + i}.40|g/dL|12.0-16.0|N|||F|||20261123074500`;
const make = (n: number) =>
  Buffer.from([...head, ...Array.from({ length: n }, (_, i) => obx(i + 1))].join('\r') + '\r');
const ctx = testContext();
function lazy(b: Buffer) {
  // a bare lazy read: latin1 + field walk of the same fields
  const s = b.toString('latin1');
  let n = 0;
  let at = 0;
  while (at < s.length) {
    let end = s.indexOf('\r', at);
    if (end < 0) end = s.length;
    let f = at;
    while (f < end) {
      let e = s.indexOf('|', f);
      if (e < 0 || e > end) e = end;
      if (e > f) n += s.substring(f, e).length;
      f = e + 1;
    }
    at = end + 1;
  }
  return n;
}
for (const [name, b] of [
  ['1KB', make(8)],
  ['10KB', make(140)],
] as const) {
  const run = (f: () => unknown) => {
    for (let i = 0; i < 5000; i++) f();
    let best = 0;
    for (let w = 0; w < 12; w++) {
      let n = 0;
      const t = process.hrtime.bigint();
      const end = t + 200000000n;
      while (process.hrtime.bigint() < end) {
        for (let i = 0; i < 50; i++) f();
        n += 50;
      }
      best = Math.max(best, n / (Number(process.hrtime.bigint() - t) / 1e9));
    }
    return Math.round(best);
  };
  const l = run(() => lazy(b));
  const ev = normalizeHl7v2(b, ctx).events;
  const m = run(() => normalizeHl7v2(b, ctx));
  const e = run(() => ev.map((x) => ClinicalEvent.encode(x).finish()));
  const a = run(() => normalizeHl7v2(b, ctx).events.map((x) => ClinicalEvent.encode(x).finish()));
  console.log(
    name,
    b.length,
    'lazy',
    l,
    'map',
    m,
    'encode',
    e,
    'all',
    a,
    'ratio',
    (a / l).toFixed(3),
    'bytes',
    ClinicalEvent.encode(ev[0]!).finish().length,
  );
}
