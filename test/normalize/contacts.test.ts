/** Contacts: who they are and where they work, since when, and for what a number is. */
import t from 'tap';
import { events, only, resources } from './told.ts';

t.test('contacts - where a contact works is no name of theirs [HL7 3.4.5.13]', (t) => {
  const said = [
    'NK1|1|DOE^OLD|SPO||||||||||ACME CORP^L^77',
    'NK1|2||EMP||||||||||ACME CORP|||||||||||||||||SMITH^CONTACT',
  ];
  const [event] = events('ADT^A31', ...said);
  t.match(event?.relatedPersons, [
    { names: [{ family: 'DOE' }], employers: [{ name: 'ACME CORP', identifiers: [{ value: '77' }] }] },
    { names: [{ text: 'ACME CORP' }, { family: 'SMITH' }], employers: [] },
  ]);
  t.same(
    event?.relatedPersons.map(({ names }) => names.length),
    [1, 2],
  );
  t.match(only('RelatedPerson', resources('ADT^A31', ...said)), [
    { name: [{ family: 'DOE' }] },
    { name: [{ text: 'ACME CORP' }, { family: 'SMITH' }] },
  ]);
  t.end();
});
