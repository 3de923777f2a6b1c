/**
 * A JSON payload read by the templates of its source. Each template selects items; an item that it takes becomes
 * one device-observation with all that the template reads in it, and a device-alarm where there is one.
 *
 * All templates are asked, and an item may be taken by several. An item that lacks what its template requires costs
 * itself alone: the others are delivered, and the record goes to quarantine beside them. When it is replayed, what
 * was delivered is passed over: by template and item, and what the built-in shape gave of an array under any template.
 * A payload that would cost more than the meters hold is refused as a whole, with the name of the template.
 */
import type { Identifier } from '../../../proto/gen/hilum/v1/event.ts';
import { ClinicalEvent, Device, Observation, Order } from '../../../proto/gen/hilum/v1/event.ts';
import { vocabulary } from '../known-word.ts';
import { type NormalizeContext, type Normalized, observationsMax, rejected } from '../outcome.ts';
import type { Json } from './json.ts';
import { numbersOf } from './numbering.ts';
import { payloadAlarm } from './payload-alarm.ts';
import { Reading } from './reading.ts';
import { eventOf, joined, NUMERIC, type Refused, type Shared, unitCodeOf } from './scope.ts';
import { Exhausted, Meter, select } from './select.ts';
import type { CodingFrom, ObservationTemplate, PayloadTemplate } from './template.ts';
import { codeOf, identifierOf } from './template-values.ts';

export const payloadLimits = { itemsMax: 1_000, charactersMax: 16 * 1024 * 1024 } as const;
const flagsMax = 16;

/** No template took anything of it, perhaps because of the condition of one, which could not be worked out. */
export interface NotTaken {
  failed: readonly string[];
}

export function fromTemplates(
  payload: Json,
  templates: readonly PayloadTemplate[],
  context: NormalizeContext,
): Normalized | NotTaken {
  const run = new Run(payload, context);
  let name = '';
  try {
    for (const template of templates) {
      name = template.name;
      run.template(template);
    }
  } catch (error) {
    if (!(error instanceof Exhausted)) throw error;
    const reason = `The payload template "${name}" was too much for this payload: ${error.message}.`;
    return rejected(
      'mapping-failed',
      `${reason} Narrow its paths (.. looks everywhere), or send less at once.`,
    );
  }
  return run.outcome();
}

/** One record: what its templates share. */
class Run {
  readonly #payload: Json;
  readonly #context: NormalizeContext;
  /** Went out before, in the built-in shape. */
  readonly #asVitals: ReadonlySet<Json | undefined>;
  readonly #given: { template: string; item: Json }[] = [];
  /** Went out before: numbers, by template. */
  readonly #before = new Map<string, Set<number>>();
  #numberOf: ((item: Json) => number) | undefined;
  readonly #meter = new Meter();
  readonly #selected = new Set<Json>();
  readonly #taken = new Set<Json>();
  readonly #failed = new Set<string>();
  readonly #events: ClinicalEvent[] = [];
  readonly #refused: Refused[] = [];
  #items = 0;
  #observations = 0;
  #characters = 0;

  constructor(payload: Json, context: NormalizeContext) {
    this.#payload = payload;
    this.#context = context;
    const { delivered = [] } = context;
    this.#asVitals = new Set(Array.isArray(payload) ? delivered.map((number) => payload[number - 1]) : []);
    for (const { template, number } of context.deliveredItems ?? []) {
      const numbers = this.#before.get(template) ?? new Set();
      this.#before.set(template, numbers.add(number));
    }
  }

  template(template: PayloadTemplate): void {
    const payload = this.#payload;
    const { topic } = this.#context;
    const items = select(template.each, { payload, item: payload, topic }, this.#meter);
    items.forEach((item, i) => {
      // The payload as a whole is not passed over where its parts are taken.
      if (item !== payload) this.#selected.add(item);
      if (this.#wentOut(template.name, item)) {
        this.#taken.add(item);
        return;
      }
      const reading = new Reading({ payload, item, topic }, this.#context, this.#meter, (text) =>
        this.#count(text),
      );
      const { name, when } = template;
      if (when !== undefined && !reading.holds(when, () => this.#failed.add(name))) return;
      this.#taken.add(item);
      this.#items += 1;
      if (this.#items > payloadLimits.itemsMax)
        throw new Exhausted(`more than ${payloadLimits.itemsMax} items`);
      const made = readItem(template, reading);
      this.#events.push(...made.events);
      this.#observations += made.events.reduce((sum, event) => sum + event.observations.length, 0);
      if (this.#observations > observationsMax) {
        throw new Exhausted(`more than ${observationsMax} observations`);
      }
      if (made.reject === undefined) {
        this.#given.push({ template: template.name, item });
        return;
      }
      this.#refused.push({ place: `Payload template "${template.name}", item ${i + 1}`, ...made.reject });
    });
  }

  outcome(): Normalized | NotTaken {
    if (this.#taken.size === 0) return { failed: [...this.#failed] };
    for (const item of this.#taken) this.#selected.delete(item);
    const passedOver = this.#selected.size;
    if (passedOver > 0) {
      const remark = `items that no payload template took: ${passedOver}`;
      for (const { provenance } of this.#events) provenance?.remarks.push(remark);
    }
    const together = joined(this.#refused);
    if (together === undefined) return { events: this.#events };
    const deliveredItems = this.#given.map(({ template, item }) => ({
      template,
      number: this.#number(item),
    }));
    return { events: this.#events, reject: together, deliveredItems };
  }

  #wentOut(template: string, item: Json): boolean {
    if (this.#asVitals.has(item)) return true;
    const before = this.#before.get(template);
    return before?.has(this.#number(item)) === true;
  }

  #number(item: Json): number {
    this.#numberOf ??= numbersOf(this.#payload);
    return this.#numberOf(item);
  }

  #count(text: string): void {
    this.#characters += text.length;
    if (this.#characters > payloadLimits.charactersMax) {
      throw new Exhausted(`its events would hold more than ${payloadLimits.charactersMax} characters`);
    }
  }
}

function readItem(template: PayloadTemplate, reading: Reading): Normalized {
  const { scope } = reading;
  const identifiers = identifierOf(template.device, reading);
  if (identifiers.length === 0) return rejected('not-understood', 'it does not say which device it is from.');
  const observations: Observation[] = [];
  for (const one of template.observations) {
    const found = observe(one, reading);
    if (typeof found === 'string') return rejected('not-understood', found);
    observations.push(...found);
  }
  const time = scope.time(reading.select(template.time)[0], 'time');
  const shared = sharedOf(template, reading, identifiers);
  if (shared.times !== undefined) shared.times.observed = time;
  const events: ClinicalEvent[] = [];
  const rule = `payload/${template.name}`;
  if (observations.length > 0) {
    const statuses = new Set(observations.map(({ status }) => status));
    const status = statuses.size === 1 ? (observations[0]?.status ?? 'unknown') : 'unknown';
    events.push(eventOf('device-observation', status, shared, scope, rule, { observations }));
  }
  const alarm = template.alarm && payloadAlarm(template.alarm, reading, time);
  if (alarm !== undefined) events.push(eventOf('device-alarm', 'unknown', shared, scope, rule, { alarm }));
  if (events.length === 0) {
    const nothing = 'nothing that the template reads has a value.';
    if (template.alarm?.when === undefined) return rejected('nothing-in-it', nothing);
    const unmet =
      'the condition of its alarm does not hold, and nothing else that the template reads has a value.';
    return rejected('nothing-in-it', unmet);
  }
  const panel = codeOf(template.panel, reading);
  for (const event of events) {
    if (panel !== undefined) event.order = Order.fromPartial({ service: panel });
    event.identifiers = identifierOf(
      { from: template.correlation, system: '', type: 'correlation' },
      reading,
    );
  }
  return { events };
}

/** The observations of one row of the template; why there is none, where there must be one. */
function observe(template: ObservationTemplate, item: Reading): Observation[] | string {
  const found: Observation[] = [];
  let wanted = template.each === undefined && template.required;
  for (const [i, reading] of item.items(template).entries()) {
    const at = template.each === undefined ? template.at : `${template.at}, entry ${i + 1}`;
    const failed = (): void => reading.scope.remark(`${at}: its \`when\` could not be worked out`);
    if (template.when !== undefined && !reading.holds(template.when, failed)) {
      wanted = false;
      continue;
    }
    const values = template.coded.length > 0 ? [''] : reading.texts(template.value);
    if (values.length === 0) {
      if (template.required) return `${at} ${noValue(template, reading)}`;
      continue;
    }
    const code = codeOf(template.code, reading);
    if (code === undefined) {
      // One that is not required is left out, and costs no other.
      if (template.each === undefined || template.required) return `${at} has no code.`;
      reading.scope.remark(`${at}: has no code`);
      continue;
    }
    for (const value of values) found.push(observationOf(template, reading, code, value));
  }
  return found.length === 0 && wanted ? `${template.at} ${noValue(template, item)}` : found;
}

function noValue({ value, valueText }: ObservationTemplate, reading: Reading): string {
  const found = reading.findsMembers(value) ? 'an object or a list for its value' : 'no value';
  return `has ${found} (${valueText}).`;
}

function observationOf(
  template: ObservationTemplate,
  reading: Reading,
  code: NonNullable<Observation['code']>,
  value: string,
): Observation {
  const { unit } = template;
  const unitText = unit.from.length > 0 ? reading.text(unit.from) : unit.text;
  const flags = reading.texts(template.interpretation).slice(0, flagsMax);
  const coded = codeOf(
    template.coded.map((one): CodingFrom => ({ ...one, from: [] })),
    reading,
  );
  return Observation.fromPartial({
    code,
    value: coded?.text ?? value,
    valueCode: coded,
    valueType: coded !== undefined ? 'CWE' : NUMERIC.test(value) ? 'NM' : 'ST',
    unit: unitText,
    unitCode: unit.ucum === '' ? unitCodeOf(unitText) : unitCodeOf(unitText, unit.ucum),
    status: reading.word(template.status, vocabulary.status, 'status') || 'unknown',
    interpretation: flags[0] ?? '',
    interpretations: flags,
    referenceRange: reading.text(template.referenceRange),
    effective: reading.scope.time(reading.select(template.time)[0], `${template.at} time`),
  });
}

function sharedOf(template: PayloadTemplate, reading: Reading, identifiers: Identifier[]): Shared {
  const { context } = reading.scope;
  const device = Device.fromPartial({ identifiers, path: context.topic });
  const { location } = template;
  if (location !== undefined) {
    const place = {
      pointOfCare: reading.text(location.unit),
      room: reading.text(location.room),
      bed: reading.text(location.bed),
      facility: reading.text(location.facility),
    };
    if (Object.values(place).some((text) => text !== '')) {
      device.location = Device.fromPartial({ location: place }).location;
    }
  }
  const patient = template.patient && identifierOf(template.patient, reading);
  const encounter = template.encounter && identifierOf(template.encounter, reading);
  const {
    patient: patientOf,
    encounter: encounterOf,
    times,
  } = ClinicalEvent.fromPartial({
    patient: { identifiers: patient ?? [] },
    encounter: { identifiers: encounter ?? [] },
    times: { capturedAtUs: context.capturedAtUs },
  });
  return {
    device,
    patient: patient?.length ? patientOf : undefined,
    encounter: encounter?.length ? encounterOf : undefined,
    times,
  };
}
