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

t.test(
  'notes - each of several problems and goals has its own, and so has the row between [PPR_PC1]',
  (t) => {
    const said = [
      'PRB|AD|20261126|38341003^HTN^SCT|P1^E',
      'NTE|1||of HTN',
      'OBX|1|NM|8480-6^SBP^LN||150|mm[Hg]|||||F',
      'NTE|1||of the pressure',
      'PRB|AD|20261126|44054006^DM2^SCT|P2^E',
      'NTE|1||of DM2',
      'OBX|1|NM|4548-4^A1c^LN||9.1|%|||||F',
      'GOL|AD|20261126|A1C7^A1c below 7^L|G1^E',
      'NTE|1||of the goal',
      'OBX|1|NM|4548-4^A1c^LN||9.2|%|||||F',
      'PTH|AD|PW^Pathway^L|20261126|1^E',
      'NTE|1||of the pathway',
    ];
    const [event] = events('PPR^PC1', ...said);
    t.same(
      event?.conditions.map(({ notes }) => texts(notes)),
      [['of HTN'], ['of DM2'], ['of the goal']],
    );
    t.same(
      event?.observations.map(({ notes }) => texts(notes)),
      [['of the pressure'], [], []],
    );
    t.same(texts(event?.notes), ['of the pathway']);
    const all = resources('PPR^PC1', ...said);
    t.match(only('Condition', all), [{ note: [{ text: 'of HTN' }] }, { note: [{ text: 'of DM2' }] }]);
    t.match(only('Goal', all), [{ note: [{ text: 'of the goal' }] }]);
    t.end();
  },
);

t.test(
  'notes - behind a next of kin and the line of an order they are not those of a row further up',
  (t) => {
    const row = 'OBX|1|NM|29463-7^Weight^LN||88|kg|||||F';
    for (const [type, ...said] of [
      ['ADT^A08', 'PV1|1|I', row, 'NK1|1|D^J'],
      ['OMD^O03', 'ORC|NW|D1^E', 'ODS|D||RENAL^Renal^L', row, 'ODT|LATE^Late tray||x'],
      ['OMS^O05', 'ORC|NW|S1^E', 'RQD|1|A^Foley^L|||2', row, 'RQD|2|B^Bag^L|||1'],
    ] as const) {
      const [event] = events(type, ...said, 'NTE|1||said last', 'PRT||AD||AT^Attending^HL70443|7^ATT^PAT');
      t.same(texts(event?.observations[0]?.notes), [], type);
      t.same(event?.observations[0]?.performers, [], type);
      t.same(texts(event?.notes), ['said last'], type);
    }
    t.end();
  },
);
