/** TQ1, TQ2 and TQ: how urgent, when each dose, and after what. */
import t from 'tap';
import { events, only, remarksOf, resources } from './told.ts';

t.test('timings - of several priorities the most urgent one counts', async (t) => {
  const tq1 = (priority: string) => `TQ1|1||||||20261124||${priority}`;
  for (const [sent, priority] of [
    ['R~S', 'S'],
    ['R^Routine^HL70485~S^Stat^HL70485', 'S'],
    ['R~A', 'A'],
    ['A~S~R', 'S'],
    ['R~X', 'R'],
  ] as const) {
    const [event] = events('OML^O21', 'ORC|NW|P1', tq1(sent), 'OBR|1|P1||A^A^L');
    t.match(event?.order, { priority, timing: [{ priority }] }, sent);
    t.equal(event?.order?.timing[0]?.priorities.length, sent.split('~').length);
  }
  const [one] = events('OML^O21', 'ORC|NW|P1', tq1('S'), 'OBR|1|P1||A^A^L');
  t.same(one?.order?.timing[0]?.priorities, []);
  const old = events('ORM^O01', 'ORC|NW|P1|||||^^^^^S&STAT&HL7', 'OBR|1|P1||A^A^L');
  t.match(old, [{ order: { priority: 'S', timing: [{ priority: 'S' }] } }]);
});

t.test(
  'timings - a priority is read in every coding and text, and the first code stays beside it',
  async (t) => {
    const rows: [sent: string, priority: string, priorities: string[]][] = [
      ['S^Stat^HL70485', 'S', []],
      ['^STAT', 'STAT', []],
      ['^^^S^Stat^HL70485', 'S', []],
      ['1^STAT^L', 'STAT', ['STAT', '1']],
      ['1^Sehr eilig^L^S^Stat^HL70485', 'S', ['S', '1']],
      ['R^Routine^L^^^^^^ASAP', 'ASAP', ['ASAP', 'R']],
      ['R^Routine^L^^^^^^^S', 'S', ['S', 'R']],
      ['1^Sofort^L', '1', ['1', 'Sofort']],
      ['1^x^STAT', '1', ['1', 'x']],
    ];
    for (const [sent, priority, priorities] of rows) {
      const tq1 = events('OML^O21', 'ORC|NW|P1', `TQ1|1||||||||${sent}`, 'OBR|1|P1||A^A^L');
      const old = sent.replaceAll('^', '&');
      const orc = events('ORM^O01', `ORC|NW|P1|||||^^^^^${old}`, 'OBR|1|P1||A^A^L');
      for (const [event] of [tq1, orc]) {
        t.match(event?.order, { priority, timing: [{ priority }] }, sent);
        t.same(event?.order?.timing[0]?.priorities, priorities, sent);
        const unknown = priority === '1' ? [/a priority that is not known/] : [];
        t.match(event?.provenance?.remarks, unknown);
        t.equal(event?.provenance?.remarks.length, unknown.length);
      }
    }
  },
);

t.test('timings - an OBR-5 that says otherwise than OBR-27 is told of', async (t) => {
  const obr = (old: string, timing: string) =>
    `OBR|1|P1||A^A^L|${old}|${'|'.repeat(21)}^^^20261123^^${timing}`;
  const said = events('ORM^O01', 'ORC|NW|P1', obr('S', 'R'));
  t.match(said, [{ order: { priority: 'R' } }]);
  t.match(remarksOf(said), [/^OBR-5: /]);
  t.same(remarksOf(events('ORM^O01', 'ORC|NW|P1', obr('r', 'R'))), []);
});

t.test('timings - the most urgent priority that the fields of an order say is the order’s', async (t) => {
  const message = (orc: string, tq1: string, old: string, timing: string, behind = false) => {
    const timed = tq1 === '' ? [] : [`TQ1|1||||||||${tq1}`];
    const obr = `OBR|1|P1||A^A^L|${old}|${'|'.repeat(21)}${timing === '' ? '' : `^^^^^${timing}`}`;
    return [
      `ORC|NW|P1|||||${orc === '' ? '' : `^^^^^${orc}`}`,
      ...(behind ? [obr, ...timed] : [...timed, obr]),
    ] as const;
  };
  const rows: [message: readonly string[], priority: string, remarks: RegExp[]][] = [
    [message('', 'S', '', 'R'), 'S', [/^OBR-27: another priority/]],
    [message('', 'S', 'R', ''), 'S', [/^OBR-5: another priority/]],
    [message('S', '', '', 'R'), 'S', [/^OBR-27: another priority/]],
    [message('R', 'S', '', ''), 'S', [/^TQ1-9: another priority/]],
    [message('R', '', '', 'S'), 'S', [/^OBR-27: another priority/]],
    [message('', 'R', '', 'S', true), 'S', [/^TQ1-9: another priority/]],
    [message('', 'A', 'S', ''), 'S', [/^OBR-5: another priority/]],
    [message('', 'S', '', 'STAT'), 'S', []],
    [message('R', 'R', 'R', 'ROUTINE'), 'R', []],
    [message('', 'R', 'S', 'R'), 'R', [/^OBR-5: OBR-27 says another/]],
  ];
  for (const [segments, priority, remarks] of rows) {
    const all = events('OML^O21', ...segments);
    t.match(all, [{ order: { priority } }], segments.join(' '));
    t.match(remarksOf(all), remarks);
    t.equal(remarksOf(all).length, remarks.length, segments.join(' '));
  }
  const [request] = only('ServiceRequest', resources('OML^O21', ...message('', 'S', '', 'R')));
  t.match(request, { priority: 'stat' });
});

t.test(
  'timings - of several times the most urgent priority is the order’s, whichever comes first',
  async (t) => {
    const obr = (timing: string) => `OBR|1|P1||EKG^EKG^L${'|'.repeat(23)}${timing}`;
    const tq1 = (priority: string) => `TQ1|1||||||20261126||${priority}`;
    const rows: [message: readonly string[], remarks: RegExp[]][] = [
      [['ORC|NW|P1', obr('^Q6H^D1^20261126^^R~^ONCE^^202611261015^^S')], []],
      [['ORC|NW|P1', obr('^ONCE^^202611261015^^S~^Q6H^D1^20261126^^R')], []],
      [['ORC|NW|P1|||||^Q6H^^^^R~^ONCE^^^^S', obr('')], []],
      [['ORC|NW|P1', tq1('R'), tq1('S'), obr('')], [/^TQ1-9: another priority/]],
      [['ORC|NW|P1', tq1('S'), tq1('R'), obr('')], []],
    ];
    for (const [message, remarks] of rows) {
      const all = events('OMG^O19', ...message);
      t.match(all, [{ order: { priority: 'S' } }], message.join(' '));
      t.match(remarksOf(all), remarks);
      t.equal(remarksOf(all).length, remarks.length, message.join(' '));
      t.match(only('ServiceRequest', resources('OMG^O19', ...message)), [{ priority: 'stat' }]);
    }
  },
);

t.test('timings - a drug is as urgent as RXE-1 or RXG-3 says, where only they do [HL7 2.3]', async (t) => {
  const now = (priority: string) => `1^ONCE^^202611261000^^${priority}`;
  const rxe = (priority: string) => `RXE|${now(priority)}|NALOX^Naloxone^L|0.4||mg`;
  const rxg = (priority: string) => `RXG|1|1|${now(priority)}|NALOX^Naloxone^L|0.4||mg`;
  const rows: [type: string, message: readonly string[], remarks: RegExp[]][] = [
    ['RDE^O01', ['ORC|NW|P1|F1', rxe('S')], []],
    ['RDE^O01', ['ORC|NW|P1|F1||||^^^^^R', rxe('S')], [/^RXE-1: another/]],
    ['RGV^O01', ['ORC|NW|P1|F1', rxg('S')], []],
    ['RGV^O15', ['ORC|NW|P1|F1', rxg(''), 'TQ1|1||||||20261126||S'], []],
  ];
  for (const [type, message, remarks] of rows) {
    const all = events(type, ...message);
    t.match(all, [{ order: { priority: 'S' } }], message.join(' '));
    t.match(remarksOf(all), remarks);
    t.equal(remarksOf(all).length, remarks.length, message.join(' '));
    t.match(
      only('MedicationRequest', resources(type, ...message)),
      [{ priority: 'stat' }],
      message.join(' '),
    );
  }
  // What is to be given once has its own urgency beside that of its order.
  const message = ['ORC|RE|P1|F1', 'TQ1|1||Q8H||||20261123|20261130|R', rxe(''), 'RXR|IV', rxg('S')];
  t.match(only('MedicationRequest', resources('RGV^O15', ...message)), [
    { priority: 'routine' },
    { priority: 'stat' },
  ]);
});

t.test('timings - what is to be given at one time has its own', async (t) => {
  const message = [
    'ORC|RE|O1^C|F1^P',
    'TQ1|1||Q8H||||20261123|20261130|R',
    'RXE||CEF^Cefazolin^L|1||g',
    'RXR|IV',
    'RXG|1|1||CEF^Cefazolin^L|1||g',
    'TQ1|1||||||20261123080000||R',
    'RXR|IV',
    'RXG|2|1||CEF^Cefazolin^L|1||g',
    'TQ1|1||||||20261123160000||S',
  ];
  const [event] = events('RGV^O15', ...message);
  t.match(event?.order?.timing, [{ repeat: 'Q8H' }]);
  t.equal(event?.order?.timing.length, 1);
  t.match(event?.furtherMedications[1]?.timing, [{ start: { value: '2026-11-23T08:00:00+01:00' } }]);
  t.match(event?.medication?.timing, [{ start: { value: '2026-11-23T16:00:00+01:00' }, priority: 'S' }]);
  t.match(
    only('MedicationRequest', resources('RGV^O15', ...message)).map(
      ({ dosageInstruction }) => dosageInstruction,
    ),
    [
      [{ timing: { repeat: { boundsPeriod: { start: '2026-11-23' } } } }],
      [{ timing: { event: [/^2026-11-23T08:00/] } }],
      [{ timing: { event: [/^2026-11-23T16:00/] } }],
    ],
  );
});

t.test('timings - each step of a taper is a dosage of its own, in its order', async (t) => {
  const segments = [
    'TQ1|1|40^mg|QD|||3^d|20261123|20261125|R|||S',
    'TQ1|2|20^mg|QD|||3^d|20261126|20261128|R|||A',
    'TQ1|3|10^mg|BID|||3^d|20261126|20261128|R',
  ];
  const rxe = 'RXE||PRED^Prednisone^L|40||mg|TAB';
  const [event] = events('RDE^O11', 'ORC|NW|O1', ...segments, rxe);
  t.match(event?.order?.timing, [{ conjunction: 'S' }, { conjunction: 'A' }, { conjunction: '' }]);
  const wanted = (sequence: number, value: number) => ({
    sequence,
    doseAndRate: [{ doseQuantity: { value, unit: 'mg' } }],
  });
  t.match(only('MedicationRequest', resources('RDE^O11', 'ORC|NW|O1', ...segments, rxe)), [
    { dosageInstruction: [wanted(1, 40), wanted(2, 20), wanted(2, 10)] },
  ]);
  const old = ['ORC|NW|O1', 'RXE|40&mg^QD^D3^^^R^^^S~20&mg^QD^D3^^^R|PRED^Prednisone^L|40||mg'];
  t.match(events('RDE^O11', ...old)[0]?.medication?.timing, [{ conjunction: 'S' }, { conjunction: '' }]);
  const days = { timing: { repeat: { boundsDuration: { value: 3, code: 'd' } } } };
  t.match(only('MedicationRequest', resources('RDE^O11', ...old)), [
    {
      dosageInstruction: [
        { ...wanted(1, 40), ...days },
        { ...wanted(2, 20), ...days },
      ],
    },
  ]);
});

t.test('timings - relative times, how long each lasts, and what goes before', async (t) => {
  const [event] = events(
    'RDE^O11',
    'ORC|NW|O1',
    'TQ1|1|1|Q6H||30&min||20261123||R|||S|30^min|4',
    'TQ2|1|S|O0^C|F0^P|G0|EF|*|10^min|3|N',
    'RXE||MORPH^Morphine^L|2||mg',
  );
  t.match(event?.order?.timing, [
    {
      relative: '30&min',
      occurrenceDuration: '30^min',
      sequences: [
        {
          type: 'S',
          placer: { value: 'O0', assigner: 'C', type: 'PLAC' },
          filler: { value: 'F0', type: 'FILL' },
          group: { value: 'G0' },
          condition: 'EF',
          cyclic: '*',
          interval: '10^min',
          repeats: '3',
          relationship: 'N',
        },
      ],
    },
  ]);
  const [old] = events(
    'ORM^O01',
    'ORC|NW|P1|||||1^Q1H^H6^^^C^^text^S^S&P0&C&F0&L&A&2^M30^6',
    'OBR|1|P1||A^A^L',
  );
  t.match(old?.order?.timing, [
    {
      conjunction: 'S',
      occurrenceDuration: 'M30',
      occurrences: '6',
      sequences: [
        {
          type: 'S',
          placer: { value: 'P0', assigner: 'C' },
          filler: { value: 'F0' },
          condition: 'A',
          repeats: '2',
        },
      ],
    },
  ]);
});
