/**
 * The stretches of segments that a mapping looks for a place in. A message is walked once, not once for
 * each event and observation: one of ten thousand segments must not cost their square.
 */
import type { Message, Segment } from './message.ts';

/** Segments next to each other, found by name and number. */
export class Stretch {
  readonly #segments: readonly Segment[];
  readonly #layout: Layout;
  #byName: Map<string, Segment[]> | undefined;
  #withoutResults: Stretch | undefined;

  constructor(segments: readonly Segment[], layout: Layout) {
    this.#segments = segments;
    this.#layout = layout;
  }

  find(name: string, nth: number): Segment | undefined {
    if (this.#byName === undefined) {
      this.#byName = new Map();
      for (const segment of this.#segments) {
        const alike = this.#byName.get(segment.name);
        if (alike === undefined) this.#byName.set(segment.name, [segment]);
        else alike.push(segment);
      }
    }
    return this.#byName.get(name)?.[nth - 1];
  }

  /** Another result's OBX, and what stands behind one, is not an observation's own. */
  get withoutResults(): Stretch {
    this.#withoutResults ??= new Stretch(
      this.#segments.filter((segment) => !this.#layout.ofResult(segment)),
      this.#layout,
    );
    return this.#withoutResults;
  }
}

/** Nearest first. */
export type Stretches = readonly Stretch[];

const ends = new Set(['OBX', 'OBR', 'ORC', 'PID', 'SPM']);

export class Layout {
  readonly #segments: readonly Segment[];
  readonly #starts: readonly (number | undefined)[];
  /** By event: the line where the next event's order begins. */
  readonly #nextStart: (number | undefined)[] = [];
  readonly #sortedStarts: readonly number[];
  /** By line: that of the PID at or before it, 1 where there is none; and of the next one behind it, 0 where none. */
  readonly #patient: Int32Array;
  readonly #nextPatient: Int32Array;
  /** By line: 1 where a result's own notes and Z segments stand, and on the result itself. */
  readonly #ofResult: Uint8Array;
  readonly #whole: Stretch;
  /** What stands before the orders of a patient, shared by the events of that patient. */
  readonly #before = new Map<number, { first: number; stretch: Stretch }>();

  /** @param starts of each event: the line of its order, undefined where it has none */
  constructor({ segments }: Message, starts: readonly (number | undefined)[]) {
    this.#segments = segments;
    this.#starts = starts;
    this.#sortedStarts = starts.filter((line) => line !== undefined).sort((a, b) => a - b);
    let following: number | undefined;
    for (let index = starts.length - 1; index >= 0; index--) {
      const start = starts[index];
      // Several alarms may be of one order.
      const again = start !== undefined && start === following;
      this.#nextStart[index] = again ? this.#nextStart[index + 1] : following;
      following = start ?? following;
    }
    const count = segments.length;
    this.#patient = new Int32Array(count + 2).fill(1);
    this.#nextPatient = new Int32Array(count + 2);
    this.#ofResult = new Uint8Array(count + 2);
    let end = '';
    let patient = 1;
    for (const { name, line } of segments) {
      if (name === 'PID') patient = line;
      this.#patient[line] = patient;
      const behind = end === 'OBX' && (name === 'NTE' || name.startsWith('Z'));
      if (name === 'OBX' || behind) this.#ofResult[line] = 1;
      if (ends.has(name)) end = name;
    }
    for (let line = count; line > 0; line--) {
      const next = segments[line];
      this.#nextPatient[line] = next?.name === 'PID' ? next.line : (this.#nextPatient[line + 1] as number);
    }
    this.#whole = new Stretch(segments, this);
  }

  ofResult({ line }: Segment): boolean {
    return this.#ofResult[line] === 1;
  }

  /** An event's own stretch and what comes before all orders of its patient. */
  ofEvent(index: number): Stretches {
    const start = this.#starts[index];
    if (start === undefined) return [this.#whole];
    const end = this.#nextStart[index] ?? this.#segments.length + 1;
    const patient = start > 1 ? (this.#patient[start - 1] as number) : start - 1;
    const nextPatient = this.#nextPatient[start] as number;
    const stop = nextPatient === 0 ? end : Math.min(end, nextPatient);
    const own = new Stretch(this.#segments.slice(start - 1, stop - 1), this);
    return [own, this.#beforeOrders(patient, Math.min(start, this.#firstStartBehind(patient) ?? start))];
  }

  /** An OBX and what stands behind it, up to the next result or order. */
  following(obx: Segment): Stretch {
    let stop = obx.line;
    while (stop < this.#segments.length && !ends.has(this.#segments[stop]?.name ?? '')) stop++;
    return new Stretch(this.#segments.slice(obx.line - 1, stop), this);
  }

  #beforeOrders(patient: number, first: number): Stretch {
    const known = this.#before.get(patient);
    if (known?.first === first) return known.stretch;
    const before = this.#segments.slice(patient - 1, first - 1);
    const stretch = new Stretch(patient > 1 ? [...this.#segments.slice(0, 1), ...before] : before, this);
    this.#before.set(patient, { first, stretch });
    return stretch;
  }

  #firstStartBehind(line: number): number | undefined {
    let from = 0;
    let to = this.#sortedStarts.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.#sortedStarts[middle] as number) > line) to = middle;
      else from = middle + 1;
    }
    return this.#sortedStarts[from];
  }
}
