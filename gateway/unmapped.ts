/**
 * The worklist of codes at the gateway: what nothing mapped since the start, counted. A worklist,
 * not custody: it lives in memory, is bounded, and the control plane adds up the gateway's lives.
 *
 * Each telemetry report carries only a few entries, because the line may be slow and every entry's
 * count is absolute: new ones first, then those that changed, then the others in turn, so that
 * an entry whose report was lost is told again.
 */
import type { Telemetry, UnmappedCode } from '../proto/gen/hilum/v1/session.ts';
import type { Sighting } from './normalize/outcome.ts';
import type { JobResult } from './worker-job.ts';

const entriesMax = 500;
const entriesToldMax = 16;
const changedEveryUs = 60_000_000;
const unchangedEveryUs = 15 * 60_000_000;

interface Entry extends Sighting {
  source: string;
  firstUs: number;
  lastUs: number;
  changed: boolean;
  /** By the clock of `report`. */
  toldUs: number;
}

export class Unmapped {
  readonly #entries = new Map<string, Entry>();
  /** Sightings of codes that did not find a place any more. */
  #uncounted = 0;

  count(
    source: string,
    { unmapped, capturedAtUs: atUs }: Pick<JobResult, 'unmapped' | 'capturedAtUs'>,
  ): void {
    for (const sighting of unmapped ?? []) {
      const { field, system, code, count } = sighting;
      const key = [source, field, system, code].join('\n');
      const found = this.#entries.get(key);
      if (found !== undefined) {
        // Records come by class, not by time.
        const { firstUs, lastUs } = found;
        Object.assign(found, sighting, { count: found.count + count, changed: true });
        found.firstUs = Math.min(firstUs, atUs);
        found.lastUs = Math.max(lastUs, atUs);
      } else if (this.#entries.size < entriesMax) {
        this.#entries.set(key, {
          ...sighting,
          source,
          firstUs: atUs,
          lastUs: atUs,
          changed: true,
          toldUs: Number.NEGATIVE_INFINITY,
        });
      } else this.#uncounted += count;
    }
  }

  /** For the gateway's own status, which asks for no permission: how many codes, and how often they came, not what a sender wrote. */
  counts(): { source: string; field: string; codes: number; count: number }[] {
    const sums = new Map<string, ReturnType<Unmapped['counts']>[number]>();
    for (const { source, field, count } of this.#entries.values()) {
      const key = `${source}\n${field}`;
      const sum = sums.get(key) ?? { source, field, codes: 0, count: 0 };
      sum.codes += 1;
      sum.count += count;
      sums.set(key, sum);
    }
    return [...sums.values()];
  }

  /** What the next telemetry tells. @param elapsedUs by a clock that nobody sets: one that went back would tell nothing for as long. */
  report(elapsedUs: number): Pick<Telemetry, 'unmapped' | 'unmappedUncounted'> {
    return { unmapped: this.#due(elapsedUs), unmappedUncounted: BigInt(this.#uncounted) };
  }

  #due(elapsedUs: number): UnmappedCode[] {
    const due = [...this.#entries.values()].filter(
      ({ changed, toldUs }) => elapsedUs - toldUs >= (changed ? changedEveryUs : unchangedEveryUs),
    );
    due.sort((a, b) => (a.toldUs === b.toldUs ? 0 : a.toldUs - b.toldUs));
    return due.slice(0, entriesToldMax).map((entry) => {
      entry.toldUs = elapsedUs;
      entry.changed = false;
      const { source, field, system, name, code, text, unit, count, firstUs, lastUs } = entry;
      return {
        source,
        field,
        system,
        name,
        code,
        text,
        unit,
        count: BigInt(count),
        firstSeenAtUs: BigInt(firstUs),
        lastSeenAtUs: BigInt(lastUs),
      };
    });
  }
}
