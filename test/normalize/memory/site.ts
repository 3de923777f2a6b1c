/** A memory that forgets nothing, and messages in it: what the worker does with one record after the other. */
import {
  type About,
  type EnrichmentLimits,
  type Need,
  type Recall,
  type RowKind,
  roundsMax,
} from '../../../gateway/normalize/memory/memory.ts';
import { furtherNeedsOf, mayLead, needsOf, remember } from '../../../gateway/normalize/memory/rules.ts';
import { normalize } from '../../../gateway/normalize/normalize.ts';
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { JournalRecord } from '../../../proto/gen/hilum/v1/journal.ts';
import { er7, testContext } from '../context.ts';
import { freezeKept } from '../kept.ts';

export class Rows implements Recall {
  /** Encoded, as on disk. */
  readonly rows = new Map<string, Uint8Array>();
  #named = new Set<string>();

  name(needs: readonly Need[]): void {
    this.#named = new Set(needs.map(({ kind, text }) => `${kind.number} ${text}`));
  }

  /** True where any of them is new. */
  nameFurther(needs: readonly Need[]): boolean {
    const before = this.#named.size;
    for (const { kind, text } of needs) this.#named.add(`${kind.number} ${text}`);
    return this.#named.size > before;
  }

  has(kind: RowKind<unknown>, text: string): boolean {
    return this.#named.has(`${kind.number} ${text}`);
  }

  get<Row>(kind: RowKind<Row>, text: string): Row | undefined {
    const found = this.rows.get(this.#key(kind, text));
    return found === undefined ? undefined : frozen(kind.decode(found));
  }

  find<Row>(kind: RowKind<Row>, text: string): Row | undefined {
    return this.has(kind, text) ? this.get(kind, text) : undefined;
  }

  set<Row>(kind: RowKind<Row>, text: string, row: Row): void {
    this.rows.set(this.#key(kind, text), Uint8Array.from(kind.encode(row)));
  }

  #key(kind: RowKind<unknown>, text: string): string {
    const key = `${kind.number} ${text}`;
    if (!this.#named.has(key)) throw new Error(`a rule touches a row that it did not name: ${key}`);
    return key;
  }
}

/** Jobs share rows: a rule that changes one that it was given must fail here. */
function frozen<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  for (const one of Object.values(value)) frozen(one);
  return Object.freeze(value);
}

export const epoch = 7n;

/** As a config without a word about it has them. */
export const usualLimits: EnrichmentLimits = {
  patientS: 90 * 86_400,
  encounterS: 7 * 86_400,
  previousS: 90 * 86_400,
  census: false,
};

export function about(
  sequence: number,
  source = 'lab',
  enrichment: EnrichmentLimits | undefined = usualLimits,
): About {
  return {
    epoch,
    sequence: BigInt(sequence),
    source,
    capturedAtUs: BigInt(1_764_000_000 + sequence) * 1_000_000n,
    enrichment,
    once: undefined,
  };
}

/** What the events of the record say in the light of the rows; the rows change. */
export function take(
  rows: Rows,
  sequence: number,
  raw: Buffer,
  source = 'lab',
  one = about(sequence, source),
): ClinicalEvent[] {
  const protocol = raw[0] === 0x7b ? 'mqtt' : 'mllp';
  const record = JournalRecord.fromPartial({ raw, source, protocol });
  const { events } = normalize(record, testContext({ source, protocol, capturedAtUs: one.capturedAtUs }));
  freezeKept(events);
  const needs = needsOf(events, one);
  rows.name(needs);
  for (let round = 1; round < roundsMax && mayLead(events, needs, rows); round += 1)
    if (!rows.nameFurther(furtherNeedsOf(events, one, rows))) break;
  remember(events, one, rows);
  return events;
}

export interface Result {
  code?: string;
  subId?: string;
  value?: string;
  status?: string;
  /** OBX-14, OBX-19 */
  effective?: string;
  analyzed?: string;
}

export interface Report {
  id?: string;
  /** MSH-7, OBR-22, OBR-25 */
  message?: string;
  issued?: string;
  status?: string;
  filler?: string;
  placer?: string;
  service?: string;
  patient?: string;
  results?: Result[];
}

/** An ORU; times as HHMM[SS] of one day. */
export function report(of: Report): Buffer {
  const at = (time: string | undefined) => (time === undefined || time === '' ? '' : `20261123${time}+0100`);
  const { id = 'M1', filler = 'F1', placer = '', service = 'K^Potassium^L', patient = '4711' } = of;
  return er7(
    `MSH|^~\\&|LAB|HOSP|||${at(of.message ?? '1000')}||ORU^R01|${id}|P|2.5.1`,
    `PID|1||${patient}^^^HOSP^MR`,
    `OBR|1|${placer}|${filler}|${service}|||${at('0800')}|||||||||||||||${at(of.issued)}||LAB|${of.status ?? 'F'}`,
    ...(of.results ?? [{}]).map(
      ({ code = 'K', subId = '', value = '4.0', status = of.status ?? 'F', effective, analyzed }, index) =>
        `OBX|${index + 1}|NM|${code}^^L|${subId}|${value}|mmol/L|||||${status}|||${at(effective)}|||||${at(analyzed)}`,
    ),
  );
}
