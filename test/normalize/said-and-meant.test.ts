/** What a patient's fields say against each other, or in words of another table. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { toBundleText } from '../../proto/fhir/bundle.ts';
import type { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { problemsOf } from '../fhir/validator.ts';
import { er7, testContext } from './context.ts';

/** PID by its fields' numbers. */
function pid(fields: Record<number, string>): string {
  const made = ['PID', '1', '', '7^^^HOSP^MR', '', 'A^B'];
  for (const [field, text] of Object.entries(fields)) made[Number(field)] = text;
  return Array.from(made, (field) => field ?? '').join('|');
}

function event(...segments: string[]): ClinicalEvent {
  const head = 'MSH|^~\\&|ADT|HOSP|X|HOSP|20261120101500+0100||ADT^A31|1|P|2.5';
  const { events, reject } = normalizeHl7v2(er7(head, 'EVN||20261120', ...segments), testContext());
  if (events[0] === undefined) throw new Error(reject?.reason);
  return events[0];
}

function resources(of: ClinicalEvent, type: string): Record<string, unknown>[] {
  const text = toBundleText(of);
  const problems = problemsOf(text);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const { entry } = JSON.parse(text) as { entry: { resource: Record<string, unknown> }[] };
  return entry.map(({ resource }) => resource).filter(({ resourceType }) => resourceType === type);
}

const remarks = (of: ClinicalEvent): string[] => of.provenance?.remarks ?? [];

t.test('patient - who is no twin has no number among twins', (t) => {
  const [single] = resources(event(pid({ 24: 'N', 25: '1' })), 'Patient');
  t.match(single, { multipleBirthBoolean: false });
  t.notOk('multipleBirthInteger' in (single ?? {}));
  const [twin] = resources(event(pid({ 24: 'Y', 25: '2' })), 'Patient');
  t.match(twin, { multipleBirthInteger: 2 });
  t.end();
});

t.test('patient - a time of death beside "not dead" is remarked, and nobody is told dead', (t) => {
  const found = event(pid({ 29: '20261119', 30: 'N' }));
  t.match(found.patient, { deceased: 'false', deceasedAt: { value: '2026-11-19' } });
  t.match(remarks(found), [/^PID-30: not dead, although PID-29 has a time of death$/]);
  const [living] = resources(found, 'Patient');
  t.match(living, { deceasedBoolean: false });
  t.notOk('deceasedDateTime' in (living ?? {}));
  const [dead] = resources(event(pid({ 29: '20261119', 30: 'Y' })), 'Patient');
  t.match(dead, { deceasedDateTime: '2026-11-19' });
  t.end();
});

t.test('patient - a sex in ISO 5218 is read, one of no known table is remarked', (t) => {
  for (const [sent, gender] of [
    ['1', 'male'],
    ['2', 'female'],
    ['0', 'unknown'],
    ['9', 'unknown'],
  ] as const) {
    const found = event(pid({ 8: sent }), `NK1|1|C^D|||||||||||||${sent}`);
    t.match(found, { patient: { gender, administrativeSex: sent }, relatedPersons: [{ gender }] }, sent);
    t.same(remarks(found), ['PID-8: read as a code of ISO 5218', 'NK1-15: read as a code of ISO 5218']);
  }
  for (const sent of ['W', 'V', 'K', '3']) {
    const found = event(pid({ 8: sent }));
    t.match(found.patient, { gender: 'unknown', administrativeSex: sent });
    t.same(remarks(found), ['PID-8: not a sex that is known'], sent);
  }
  t.same(remarks(event(pid({ 8: 'F^Female^HL70001' }))), []);
  t.end();
});

t.test('fhir - an entry of which only the ordinal is left is no entry', (t) => {
  const found = event(
    pid({}),
    'NK1|1|""',
    'AL1|1|""|""',
    'AL1|2|DA|1^Pen^L|""|""|""',
    'DG1|1||""',
    'PR1|1||""',
    'GT1|1||""',
    'IN1|1|""',
  );
  t.same(found.nulls.length, 10, 'what is deleted is told');
  for (const type of ['RelatedPerson', 'Condition', 'Procedure', 'Coverage'])
    t.same(resources(found, type), [], type);
  t.match(resources(found, 'AllergyIntolerance'), [{ code: { text: 'Pen' } }]);
  t.equal(resources(found, 'AllergyIntolerance').length, 1);
  t.end();
});

t.test('fhir - race and ethnicity have the codes that were sent [US Core]', (t) => {
  const cdc = 'urn:oid:2.16.840.1.113883.6.238';
  const race = '2106-3^White^CDCREC~2054-5^Black^HL70005~1004-1^American Indian^CDCREC~X^Other^L';
  const [patient] = resources(event(pid({ 10: race, 22: '2186-5^Not Hispanic^CDCREC' })), 'Patient');
  t.match(patient?.extension, [
    {
      url: /us-core-race$/,
      extension: [
        { url: 'ombCategory', valueCoding: { system: cdc, code: '2106-3', display: 'White' } },
        { url: 'ombCategory', valueCoding: { system: cdc, code: '2054-5' } },
        { url: 'detailed', valueCoding: { system: cdc, code: '1004-1' } },
        { url: 'text', valueString: 'White, Black, American Indian, Other' },
      ],
    },
    {
      url: /us-core-ethnicity$/,
      extension: [
        { url: 'ombCategory', valueCoding: { system: cdc, code: '2186-5' } },
        { url: 'text', valueString: 'Not Hispanic' },
      ],
    },
  ]);
  const [text] = resources(event(pid({ 10: '^Human', 22: 'H^Hispanic^HL70189' })), 'Patient');
  t.match(text?.extension, [
    { extension: [{ url: 'text', valueString: 'Human' }] },
    { extension: [{ url: 'text', valueString: 'Hispanic' }] },
  ]);
  t.end();
});
