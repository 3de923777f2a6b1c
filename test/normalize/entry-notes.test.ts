/** An NTE is that of the entry that stands before it, never of a result further up. */
import t from 'tap';
import { events, only, resources } from './told.ts';

const texts = (of: readonly { text: string }[] | undefined) => (of ?? []).map(({ text }) => text);

t.test('notes - what follows an allergy, a diagnosis, a procedure or an insurance is its own', (t) => {
  const said = [
    'PV1|1|I',
    'OBX|1|NM|29463-7^Weight^LN||70|kg|||||F',
    'NTE|1||with shoes',
    'AL1|1|DA|1^Pen^L',
    'NTE|1||anaphylaxis in 2010',
    'AL1|2|DA|2^Ibu^L',
    'NTE|1||rash',
    'DG1|1||I10^HTN^I10',
    'NTE|1||since 2001',
    'PR1|1||9^x^L',
    'NTE|1||left side',
    'GT1|1||DOE^JOHN',
    'NTE|1||calls back',
    'IN1|1|A|B',
    'IN2||1',
    'NTE|1||card seen',
  ];
  const [event] = events('ADT^A01', ...said);
  t.same(texts(event?.observations[0]?.notes), ['with shoes']);
  t.same(
    event?.allergies.map(({ notes }) => texts(notes)),
    [['anaphylaxis in 2010'], ['rash']],
  );
  t.same(texts(event?.conditions[0]?.notes), ['since 2001']);
  t.same(texts(event?.procedures[0]?.notes), ['left side']);
  t.same(texts(event?.coverages[0]?.notes), ['card seen']);
  t.same(texts(event?.notes), ['calls back']);
  const all = resources('ADT^A01', ...said);
  t.match(only('AllergyIntolerance', all), [
    { note: [{ text: 'anaphylaxis in 2010' }] },
    { note: [{ text: 'rash' }] },
  ]);
  t.match(only('Condition', all), [{ note: [{ text: 'since 2001' }] }]);
  t.match(only('Procedure', all), [{ note: [{ text: 'left side' }] }]);
  t.end();
});

t.test('notes - each of several allergies or charges has its own [ADT_A60, DFT_P03]', (t) => {
  const [allergies] = events('ADT^A60', 'IAM|1|DA|1^P^L', 'NTE|1||first', 'IAM|2|DA|2^I^L', 'NTE|1||second');
  t.same(
    allergies?.allergies.map(({ notes }) => texts(notes)),
    [['first'], ['second']],
  );
  t.same(texts(allergies?.notes), []);
  const charges = ['FT1|1|||20261119||CG|A', 'NTE|1||n1', 'FT1|2|||20261119||CG|B', 'NTE|1||n2'];
  const [charge] = events('DFT^P03', ...charges);
  t.same(
    charge?.charge?.items.map(({ notes }) => texts(notes)),
    [['n1'], ['n2']],
  );
  t.match(only('ChargeItem', resources('DFT^P03', ...charges)), [
    { note: [{ text: 'n1' }] },
    { note: [{ text: 'n2' }] },
  ]);
  t.end();
});
