/**
 * What normalization gives: a record becomes events, or a reject that goes to quarantine
 * with its reason, or both (the good events are delivered, the record is quarantined).
 * Bad data is a value here, never an exception. Nothing in this folder reads a clock,
 * a file or a random number; the context carries what is needed.
 */
import type { ClinicalEvent, Code } from '../../proto/gen/hilum/v1/event.ts';
import { wireLimits } from '../../proto/limits.ts';
import { faultOf } from '../../proto/own-frame.ts';
import type { Relation } from '../../proto/units/ucum.ts';
import type { DeclaredDevice } from './association.ts';
import type { CriticalCount, CriticalRules } from './critical.ts';
import type { PayloadTemplate } from './device/template.ts';
import type { Mapping } from './hl7v2/remap.ts';

export interface Normalized {
  events: ClinicalEvent[];
  /** Set: the record is quarantined (beside the events that could be made). */
  reject?: Reject;
  /** Beside a reject: which messages or objects of the record gave events, by number from 1. */
  delivered?: number[];
  /** Beside a reject: what payload templates gave events of. */
  deliveredItems?: DeliveredItem[];
  /** Codes and units that nothing maps; only where there are any. */
  unmapped?: Sighting[];
  /** What the rules for critical results did; only where there is anything. */
  critical?: CriticalCount[];
}

/** What a payload template took. Under another name it is another reading. */
export interface DeliveredItem {
  template: string;
  /** Its place among all values of the payload, from 1: the same under any config. */
  number: number;
}

/** What of a record went out, as it is kept with what was refused: a replay makes only what is still missing. */
export function deliveredParts({ delivered = [], deliveredItems = [] }: Normalized): DeliveredItem[] {
  return [...delivered.map((number) => ({ number, template: '' })), ...deliveredItems];
}

/** For the worklist of codes: coded fields only, cut to 64 characters, never a value. */
export interface Sighting {
  /** OBX-3, OBR-4, OBX-6 and what devices have instead. */
  field: 'observation' | 'service' | 'unit';
  system: string;
  /** The coding system's name as sent. */
  name: string;
  code: string;
  text: string;
  /** The unit that an observation's code came with. */
  unit: string;
  /** In this record. */
  count: number;
}

export interface Reject {
  code: RejectCode;
  /** For a person; names segment, field, line. Never content. */
  reason: string;
  /** Of a record with several messages: MSH-10 of each that is refused, as far as it has one. */
  controlIds?: string[];
}

export const tooManyEvents: Reject = {
  code: 'too-large',
  reason: `The message makes more than ${wireLimits.recordEventsMax} events; this cannot be raised, the sender has to split it.`,
};

export type RejectCode =
  | 'no-msh' // no readable MSH segment
  | 'bad-delimiters' // MSH-1/MSH-2 cannot be used
  | 'unreadable' // not text in the declared charset, or not the format the source promises
  | 'too-large' // over a limit of the scanner
  | 'not-understood' // a message type without a mapping (unknown, or missing MSH-9)
  | 'query' // QBP/RSP/ACK …: not an event
  | 'nothing-in-it' // understood, but without anything that an event could say
  | 'continuation' // DSC continuation, not spoken
  | 'damaged' // the record cannot be read from the disk
  | 'mapping-failed'; // the mapping threw or ran out of its budget

/** Of what gives no event. */
export function rejected(code: RejectCode, reason: string): Normalized {
  return { events: [], reject: { code, reason } };
}

export interface NormalizeContext {
  source: string;
  protocol: string;
  /** IANA zone for times without an offset: the source's, else the site's. */
  zone: string;
  /** The zone is the source's own: it was told for its times, so it comes before the message's default. */
  zoneOfSource?: boolean;
  /** Of HL7 v2 whose MSH-18 is empty; a name that proto/charset-names.ts knows. */
  charset?: string | undefined;
  topic: string;
  capturedAtUs: bigint;
  /** Messages or objects of the record, by number from 1, that are passed over: their events went out before. */
  delivered?: readonly number[];
  /** The same of what payload templates took. */
  deliveredItems?: readonly DeliveredItem[];
  /** Embedded documents above this stay out of the event (size and hash are kept), bytes. */
  attachmentBytesMax: number;
  /** `limits` of the running config. */
  limits: { segmentsMax: number; fieldBytesMax: number };
  codes: CodeTables;
  units: UnitTables;
  /** assigning authority as sent → system URI */
  authorities: ReadonlyMap<string, string>;
  /** Templates for the JSON of this source, in order. */
  payloads?: readonly PayloadTemplate[];
  /** Of the config, for HL7 v2 of this source. */
  mappings?: readonly Mapping[] | undefined;
  /** Only where the config has rules for critical results. */
  critical?: CriticalRules | undefined;
  /** What the config declares of devices. */
  devices?: readonly DeclaredDevice[];
}

/** Code tables of the running config, keyed `<table or coding system as sent>|<code>`. */
export interface CodeTables {
  lookup(system: string, code: string): MappedCode | undefined;
  /** Of the tables that map from this system; undefined where there is none. */
  policy(system: string): CodePolicy | undefined;
}

export interface CodePolicy {
  /** A code without an entry goes on the worklist. */
  report: boolean;
  /** The systems that the tables map to. */
  to: ReadonlySet<string>;
}

export interface UnitTables {
  /** The UCUM unit, undefined where nobody can tell. */
  read(unit: Code): string | undefined;
  /** A unit that cannot be read goes on the worklist. */
  report: boolean;
  /** What this code's values in this UCUM unit are wanted in. */
  conversion(system: string, code: string, unit: string): UnitConversion | undefined;
}

export interface UnitConversion {
  name: string;
  /** UCUM */
  from: string;
  to: string;
  relation: Relation;
}

export interface MappedCode {
  system: string;
  code: string;
  display: string;
  /** The table that gave it, for provenance. */
  table: string;
}

/** Bytes of an OBX field, which may carry a document; more than a frame may have by default. */
export const documentFieldBytesMax = 16 * 1024 * 1024;

/** Observations of one device payload. */
export const observationsMax = 20_000;

/** What a rule of ours threw on: it costs its record alone, and says where it happened, never what was in it. */
export function mappingFailed(what: string, error: unknown): Reject {
  const reason = `${what} (${faultOf(error)}). This is a fault of the program: tell whoever maintains it.`;
  return { code: 'mapping-failed', reason };
}
