/**
 * Random lives of a result that three feeds bring. What a reader takes as current, with and without `once`: no state
 * that its own feed has replaced may stay, nothing that has an effect may vanish, and a record that is normalized
 * once more says the same.
 */
import t from 'tap';
import { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { below, seededRandom, seedOfThisRun } from '../../kit/random.ts';
import { er7 } from '../context.ts';
import { OnceSite } from './once-site.ts';

const sources = `
sources:
  lab: { listener: a }
  copy: { listener: b }
  third: { listener: c }
`;
const once = (authoritative: string) =>
  `once: { results: { twice: { feeds: [lab, copy, third], authoritative: ${authoritative} } } }
`;

interface Said {
  source: string;
  raw: Buffer;
}

function report(minute: number, status: string, value: string, service: string): Buffer {
  const at = `20261123${String(10 + Math.floor(minute / 60))}${String(minute % 60).padStart(2, '0')}00+0100`;
  return er7(
    `MSH|^~\\&|LAB|HOSP|||${at}||ORU^R01^ORU_R01|M${minute}|P|2.5.1`,
    'PID|1||4711^^^HOSP^MR',
    `OBR|1||F1|${service}^^L|||20261123080000+0100||||||||||||||||||${status}`,
    `OBX|1|NM|${service}^^L||${value}|mmol/L|||||${status}`,
  );
}

/** What a reader takes as current after these events, by their record. */
class Reader {
  readonly current = new Map<bigint, ClinicalEvent>();
  readonly #replaced = new Set<bigint>();

  take(sequence: bigint, event: ClinicalEvent): void {
    const { once: mark, supersessions, superseded } = event;
    if (mark?.role === 'repeat') return;
    for (const { thisIsSuperseded, record } of supersessions)
      if (!thisIsSuperseded) this.#drop(record?.sequence ?? 0n);
    if (mark?.role === 'effective') for (const { record } of mark.links) this.#drop(record?.sequence ?? 0n);
    if (!superseded && !this.#replaced.has(sequence)) this.current.set(sequence, event);
  }

  #drop(sequence: bigint): void {
    this.#replaced.add(sequence);
    this.current.delete(sequence);
  }
}

const saying = (event: ClinicalEvent) =>
  [
    event.order?.service?.text ?? '',
    event.status,
    event.observations[0]?.value,
    event.provenance?.source,
  ].join();

const seed = seedOfThisRun();

t.test(`once results - random lives of a result by three feeds (seed ${seed})`, async (t) => {
  const random = seededRandom(seed);
  const pick = <One>(list: readonly One[]) => list[below(random, list.length)] as One;
  const seen = new Map<string, number>();
  for (let life = 0; life < 150; life += 1) {
    const on = new OnceSite(`${sources}${once(pick(['lab', '[{ feed: lab, when: "false" }]']))}`);
    const off = new OnceSite(sources);
    const [reader, plain] = [new Reader(), new Reader()];
    const said: Said[] = [];
    const told: string[] = [];
    let minute = 0;
    for (let n = 1; n <= 14; n += 1) {
      minute += below(random, 4);
      const late = below(random, 6) === 0 ? Math.max(0, minute - 5) : minute;
      const raw = report(
        late,
        pick(['P', 'P', 'F', 'F', 'C']),
        pick(['4.0', '4.0', '4.1']),
        pick(['K', 'K', 'K', 'NA']),
      );
      const source = pick(['lab', 'copy', 'third']);
      said.push({ source, raw });
      const event = on.one(source, raw);
      const alone = off.one(source, raw);
      reader.take(BigInt(n), event);
      plain.take(BigInt(n), alone);
      told.push(JSON.stringify(ClinicalEvent.toJSON(event)));
      const role = event.once?.role ?? 'passed';
      seen.set(role, (seen.get(role) ?? 0) + 1);
      const where = `record ${n} (${saying(event)}, ${role}) of life ${life}`;
      for (const [sequence, one] of reader.current)
        if (!plain.current.has(sequence))
          t.fail(`${where}: ${saying(one)} of record ${sequence} is current, and its feed has replaced it`);
      if (role !== 'repeat' && !event.superseded && !reader.current.has(BigInt(n)))
        t.fail(`${where}: vanished`);
      if (plain.current.size > 0 && reader.current.size === 0) t.fail(`${where}: nothing is current`);
    }
    const left = new Map(on.rows.rows);
    for (let at = said.length - 1; at >= 0; at -= 1) {
      const { source, raw } = said[at] as Said;
      const again = JSON.stringify(ClinicalEvent.toJSON(on.one(source, raw, at, at + 1)));
      const [first, second] = [told[at] as string, again].map((text) => JSON.parse(text));
      if (JSON.stringify(first.once) !== JSON.stringify(second.once))
        t.fail(
          `record ${at + 1} of life ${life}: ${JSON.stringify(first.once)} ${JSON.stringify(second.once)}`,
        );
      const across = ({ supersessions = [] }: { supersessions?: { decidedBy: string }[] }) =>
        JSON.stringify(supersessions.filter(({ decidedBy }) => decidedBy === 'once'));
      const own = ({ supersessions = [] }: { supersessions?: { decidedBy: string }[] }) =>
        JSON.stringify(supersessions.filter(({ decidedBy }) => decidedBy !== 'once'));
      if (own(first) === own(second) && across(first) !== across(second))
        t.fail(`record ${at + 1} of life ${life}: ${across(first)} ${across(second)}`);
    }
    if (JSON.stringify([...left.keys()]) !== JSON.stringify([...on.rows.rows.keys()]))
      t.fail(`rows of life ${life}`);
  }
  for (const role of ['passed', 'repeat', 'effective', 'linked', 'conflict'])
    t.ok((seen.get(role) ?? 0) > 20, role);
});
