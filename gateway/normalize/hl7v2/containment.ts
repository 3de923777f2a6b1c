/**
 * The parts of devices that a message has named for one patient [IHE DEV TF-2 B.8]: a place in the containment is
 * named once and holds for the OBRs behind it, so that a report a minute needs no rows but what it measured.
 *
 *   OBR 1   1 MDS, 1.1 VMD, 1.1.1 channel, a row at 1.1.1.5
 *   OBR 2   a row at 1.1.1.5         hangs below the same three
 *   OBR 3   1 another MDS            stands in its place: what was below the other one is gone
 */
import type { DeviceComponent, Identifier, Observation, Patient } from '../../../proto/gen/hilum/v1/event.ts';

const depthMax = 16;

export interface Part {
  readonly component: DeviceComponent;
  /** OBX-4 as sent. */
  readonly place: string;
}

interface Held {
  readonly parts: readonly Part[];
  /** What they are, to tell whether others take their place. */
  readonly key: string;
  readonly numbers: ReadonlySet<string>;
  /** The event that named them last. */
  readonly event: number;
  /** The event that named others here than before: what was below those is not below these. */
  readonly renewed: number;
}

export class Containment {
  private patient: Patient | undefined;
  private event = 0;
  /** By path; some senders give several parts one place. */
  private readonly held = new Map<string, Held>();

  /**
   * What earlier events of the patient named around these rows, the outer ones first, copied. The rows' own parts hold
   * for those behind them.
   */
  around(patient: Patient | undefined, rows: readonly Observation[], own: readonly Part[]): Part[] {
    if (patient !== this.patient) this.held.clear();
    this.patient = patient;
    this.event++;
    this.take(own);
    if (this.held.size === 0) return [];
    const found = new Map<string, Held>();
    for (const row of rows) {
      const around = this.holding(row.subId);
      const itself = row.equipment.map(numberOf);
      // One that says which device it is of, and names none of these, is not of them.
      if (itself.length > 0 && !around.some(([, { numbers }]) => itself.some((one) => numbers.has(one))))
        continue;
      for (const [path, held] of around) if (held.event < this.event) found.set(path, held);
    }
    return [...found.values()].flatMap(({ parts }) => parts.map(copied));
  }

  private take(own: readonly Part[]): void {
    const byPath = new Map<string, Part[]>();
    for (const part of own) {
      const there = byPath.get(part.component.path);
      if (there === undefined) byPath.set(part.component.path, [part]);
      else there.push(part);
    }
    const { event } = this;
    for (const [path, parts] of byPath) {
      if (path === '') continue;
      const key = keyOf(parts);
      const known = this.held.get(path);
      const renewed = known === undefined ? 0 : known.key === key ? known.renewed : event;
      this.held.set(path, { parts, key, numbers: new Set(parts.flatMap(numbersOf)), event, renewed });
    }
  }

  /** The parts that the place is below, without those that have not been named since what they were part of has changed. */
  private holding(subId: string): [path: string, held: Held][] {
    const around: [string, Held][] = [];
    let renewed = 0;
    for (const path of pathsTo(subId)) {
      const held = this.held.get(path);
      if (held === undefined || held.event < renewed) continue;
      around.push([path, held]);
      renewed = Math.max(renewed, held.renewed);
    }
    return around;
  }
}

/** 1.6.1.1 hangs below 1, 1.6 and 1.6.1; the innermost last. */
export function pathsTo(subId: string): string[] {
  const steps = subId.split('.').slice(0, depthMax);
  const paths = steps.map((_, at) => withoutZeros(steps.slice(0, at + 1)));
  return paths.filter((path, at) => path !== paths[at - 1]);
}

export function withoutZeros(steps: readonly string[]): string {
  let length = steps.length;
  while (length > 1 && steps[length - 1] === '0') length--;
  return steps.slice(0, length).join('.');
}

function copied({ component, place }: Part): Part {
  return { component: { ...component, identifiers: [...component.identifiers] }, place };
}

function keyOf(parts: readonly Part[]): string {
  return JSON.stringify(parts.map((part) => [part.component.type, numbersOf(part)]));
}

function numbersOf({ component }: Part): string[] {
  return component.identifiers.map(numberOf);
}

export function numberOf({ system, value }: Identifier): string {
  return `${system}|${value}`;
}
