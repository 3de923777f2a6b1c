/** What is said of a patient, a visit, a contact or a procedure beside who and where they are. */
import t from 'tap';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { er7, testContext } from './context.ts';
import { events, only, remarksOf, resources } from './told.ts';

t.test('patient - an advance directive is told of the patient and of the visit [PD1-15, PV2-45]', (t) => {
  const said = [
    `PD1|${'|'.repeat(14)}DNR^Do not resuscitate^HL70435~LW^Living will`,
    'PV1|1|I',
    `PV2|${'|'.repeat(44)}DNR^Do not resuscitate^HL70435`,
  ];
  const [event] = events('ADT^A01', ...said);
  t.match(event?.patient?.advanceDirectives, [{ codings: [{ code: 'DNR' }] }, { codings: [{ code: 'LW' }] }]);
  t.match(event?.encounter?.advanceDirectives, [{ codings: [{ code: 'DNR' }] }]);
  const all = resources('ADT^A01', ...said);
  const url = 'urn:hilum:extension:advance-directive';
  const dnr = { url, valueCodeableConcept: { text: 'Do not resuscitate' } };
  t.match(only('Patient', all)[0]?.extension, [dnr, { url, valueCodeableConcept: { text: 'Living will' } }]);
  t.match(only('Encounter', all)[0]?.extension, [dnr]);
  t.end();
});
