/**
 * The canonical event as a CEL predicate sees it: every field is there, an absent text is '',
 * an absent message is one with empty fields. So `event.encounter.location.pointOfCare == "ICU"`
 * is false, not an error, where an event has no encounter.
 *
 * CEL has no run-time cost limit of its own. A list can only be reached through its field
 * here, and each time it is, its length is taken off the meter of the running evaluation;
 * a nested comprehension over a long list runs dry instead of holding the thread.
 */
import { eventFields } from '../gen/event-fields.ts';
import type { ClinicalEvent } from '../gen/hilum/v1/event.ts';

/** Made once per event; every predicate that looks at the event shares it. */
export interface EventView {
  readonly meter: Meter;
}

export interface Meter {
  left: number;
}

/** The predicate asked for more list entries than one evaluation may read. */
class MeterExhausted extends Error {
  override readonly name = 'MeterExhausted';
}

type Raw = Readonly<Record<string, unknown>>;
type View = new (raw: Raw, meter: Meter) => EventView;

/** The type of the variable `event`: the proto's fields, and `source` as a shortcut to provenance.source. */
export const rootType = 'ClinicalEvent';
export const viewFields: typeof eventFields = {
  ...eventFields,
  [rootType]: { ...eventFields[rootType], source: 'string' },
};

const nothing: Raw = Object.freeze({});
const noEntries: readonly unknown[] = Object.freeze([]);

export const viewTypes: ReadonlyMap<string, View> = new Map(
  Object.entries(viewFields).map(([name, fields]) => [name, viewType(name, fields)]),
);

const RootView = viewTypes.get(rootType)!;

export function viewEvent(event: ClinicalEvent): EventView {
  return new RootView(event as unknown as Raw, { left: 0 });
}

function viewType(name: string, fields: Readonly<Record<string, string>>): View {
  // A class each: CEL tells message types apart by their constructor.
  const Type = class {
    readonly raw: Raw;
    readonly meter: Meter;
    /** Views of messages and lists that were looked at, by field. */
    seen: Record<string, unknown> | undefined;
    constructor(raw: Raw, meter: Meter) {
      this.raw = raw;
      this.meter = meter;
      this.seen = undefined;
    }
  };
  type Instance = InstanceType<typeof Type>;
  for (const [field, type] of Object.entries(fields)) {
    Object.defineProperty(Type.prototype, field, {
      get: getter(name, field, type) as (this: Instance) => unknown,
    });
  }
  return Type;
}

interface Instance {
  readonly raw: Raw;
  readonly meter: Meter;
  seen: Record<string, unknown> | undefined;
}

function getter(name: string, field: string, type: string): (this: Instance) => unknown {
  if (name === rootType && field === 'source') {
    return function () {
      return (this.raw.provenance as { source?: string } | undefined)?.source ?? '';
    };
  }
  switch (type) {
    case 'string':
      return function () {
        return this.raw[field] ?? '';
      };
    case 'bool':
      return function () {
        return this.raw[field] ?? false;
      };
    case 'int':
      return function () {
        return BigInt((this.raw[field] as number | bigint | undefined) ?? 0);
      };
  }
  const element = /^list<(.+)>$/.exec(type)?.[1];
  if (element === undefined) return messageGetter(field, type);
  return element === 'string' ? textsGetter(field) : messagesGetter(field, element);
}

function messageGetter(field: string, type: string): (this: Instance) => unknown {
  return function () {
    this.seen ??= {};
    this.seen[field] ??= new (viewTypes.get(type)!)(
      (this.raw[field] as Raw | undefined) ?? nothing,
      this.meter,
    );
    return this.seen[field];
  };
}

function textsGetter(field: string): (this: Instance) => unknown {
  return function () {
    const list = (this.raw[field] as readonly string[] | undefined) ?? noEntries;
    charge(this.meter, list.length);
    return list;
  };
}

function messagesGetter(field: string, element: string): (this: Instance) => unknown {
  return function () {
    const list = (this.raw[field] as readonly Raw[] | undefined) ?? noEntries;
    if (list.length === 0) return noEntries;
    charge(this.meter, list.length);
    this.seen ??= {};
    this.seen[field] ??= (list as readonly Raw[]).map(
      (raw) => new (viewTypes.get(element)!)(raw, this.meter),
    );
    return this.seen[field];
  };
}

function charge(meter: Meter, entries: number): void {
  meter.left -= entries;
  if (meter.left < 0) throw new MeterExhausted('a predicate read more list entries than one evaluation may');
}
