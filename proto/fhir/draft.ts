/**
 * A bundle while it grows: its entries in order, and what the resources of one event point at. Every entry's
 * UUID is made from the event's id and the resource's place in the event, so that the same event gives the
 * same bundle on any machine, and a consumer that reads an event twice stores it once.
 */
import { createHash } from 'node:crypto';
import type { ClinicalEvent, Observation, Order } from '../gen/hilum/v1/event.ts';
import { devicesOfRows, isOfEvent, type RowDevice } from '../row-device.ts';
import { tellsOfPatient } from '../specimen-role.ts';
import { notStated } from './datatypes.ts';
import { type Element, fhirText, lean, type Resource } from './json.ts';
import { securityOf } from './security.ts';

/** What became of one of the event's orders. */
export interface Ordered {
  readonly request: Element;
  readonly specimens: readonly Element[];
}

export class Draft {
  readonly event: ClinicalEvent;
  readonly entries: Element[] = [];
  /** What was added, for the provenance. */
  readonly targets: Element[] = [];
  patient: Element | undefined;
  encounter: Element | undefined;
  device: Element | undefined;
  /** Service requests. */
  requests: Element[] = [];
  /** Medication requests. */
  prescriptions: Element[] = [];
  /** The vaccination, where it is one. */
  immunization: Element | undefined;
  specimens: Element[] = [];
  /** By where the order stands in the event. */
  readonly orders = new Map<string, Ordered>();
  /** Of the observations so far. */
  results: Element[] = [];
  private readonly shared = new Map<string, Element>();
  private readonly ofRow: ReturnType<typeof devicesOfRows>;

  constructor(event: ClinicalEvent) {
    this.event = event;
    this.ofRow = devicesOfRows(event.device?.components ?? []);
  }

  /** The device that measured the row, where that is another than the event's. */
  deviceOfRow(row: Observation): RowDevice | undefined {
    const { device } = this.event;
    const said = this.ofRow(row);
    return said === undefined || (device !== undefined && isOfEvent(device, said)) ? undefined : said;
  }

  /** The reference that a resource at `path` of the event has, or will have. */
  reference(resourceType: string, path: string): Element {
    return { reference: `urn:uuid:${uuidOf(this.event.id, path)}`, type: resourceType };
  }

  /**
   * Adds the resource that is made from `path` of the event, as `observations/2`.
   * @param labels who may see it, beside what holds for the patient, the visit and the whole event
   */
  add(path: string, resource: Resource, labels: readonly Element[] = []): Element {
    const id = uuidOf(this.event.id, path);
    const { resourceType, ...members } = resource;
    const security = [...securityOf(this.event, resourceType), ...labels];
    const meta = { source: eventUri(this.event.id), security };
    const content = lean({ resourceType, id, meta, ...members }) as Resource;
    this.entries.push({ fullUrl: `urn:uuid:${id}`, resource: content });
    const reference = this.reference(resourceType, path);
    this.targets.push(reference);
    return reference;
  }

  /** Adds a person, a place or an organization once, however often the event names it. */
  once(resource: Resource): Element | undefined {
    const { resourceType, ...members } = resource;
    if (lean(members) === undefined) return undefined;
    const key = fhirText(resource);
    let reference = this.shared.get(key);
    if (reference === undefined) {
      const ordinal = this.shared.size + 1;
      reference = this.add(`shared/${ordinal}`, resource);
      this.shared.set(key, reference);
    }
    return reference;
  }

  /** The visit of an entry, which may be a further one: furtherEncounters[0] …. */
  visit(place: string): Element | undefined {
    const at = Number(/^furtherEncounters\[(\d+)\]$/.exec(place)?.[1] ?? -1);
    const known = this.event.furtherEncounters[at] !== undefined;
    return known ? this.reference('Encounter', `furtherEncounters/${at}`) : this.encounter;
  }

  /** Of whom and in which visit the results of the order are: of nobody where they are of a control or the like. */
  about(
    order: Order | undefined,
    visit = '',
  ): { subject: Element | undefined; encounter: Element | undefined } {
    const { patient } = this;
    const encounter = this.visit(visit);
    return tellsOfPatient(order)
      ? { subject: patient, encounter }
      : { subject: undefined, encounter: undefined };
  }

  /** The patient where FHIR wants one. */
  get subject(): Element {
    return this.patient ?? notStated;
  }
}

/** The event as a URI: Meta.source of everything that was made from it. */
function eventUri(id: string): string {
  return `urn:hilum:event:${encodeURIComponent(id)}`;
}

const namespace = Buffer.from('7b1d3c6a5f0e4a5e9d3e68696c756d01', 'hex');

/** A name-based UUID, version 5 [RFC 9562 5.5], of an event's part. */
export function uuidOf(eventId: string, path: string): string {
  const digest = createHash('sha1').update(namespace).update(`${eventId}/${path}`).digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString('hex', 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
