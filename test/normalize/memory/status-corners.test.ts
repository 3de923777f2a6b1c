/** Status in the corners: times that are not complete, several reports in one record, reports that name nothing. */
import t from 'tap';
import { orderRow } from '../../../gateway/normalize/memory/order-rows.ts';
import { markOvertaken } from '../../../gateway/normalize/memory/overtaken.ts';
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { er7 } from '../context.ts';
import { about, type Report, Rows, report, take } from './site.ts';

const preliminary: Report = { issued: '0900', message: '0901', status: 'P', results: [{ value: '3.9' }] };
const final: Report = { issued: '1000', message: '1001', status: 'F', results: [{ value: '4.1' }] };

/** @param issued OBR-22 as it stands there */
function dated(status: string, issued: string, sent: string, collected = '20261123080000'): Buffer {
  return er7(
    `MSH|^~\\&|LAB|HOSP|||${sent}||ORU^R01|M|P|2.5.1`,
    'PID|1||4711^^^HOSP^MR',
    `OBR|1||F1|K^^L|||${collected}|||||||||||||||${issued}||LAB|${status}`,
    `OBX|1|NM|K^^L||${status}||||||${status}`,
  );
}

function said({ superseded, supersessions }: ClinicalEvent): [boolean, string[]] {
  return [superseded, supersessions.map(({ what, record }) => `${what} ${record?.sequence}`)];
}

t.test(
  'status - a final whose OBR-22 has only the day is not older than the preliminary of that day',
  async (t) => {
    for (const [name, issued, sent] of [
      ['day', '20261123', '20261123120000+0100'],
      ['minute', '202611231000', '20261123100045+0100'],
      ['the evening of a day west of Greenwich', '20261123', '20261123220000-0500'],
    ] as const) {
      const rows = new Rows();
      const [offset] = /[+-]\d+$/.exec(sent) as RegExpExecArray;
      take(rows, 1, dated('P', `${sent.slice(0, 8)}100030${offset}`, `${sent.slice(0, 8)}100031${offset}`));
      const [event] = take(rows, 2, dated('F', issued, sent)) as [ClinicalEvent];
      t.same(said(event), [false, ['order 1', 'observations[0] 1']], name);
      t.match(event.supersessions, [{ thisIsSuperseded: false }, { thisIsSuperseded: false }]);
    }
  },
);

t.test(
  'status - a preliminary of yesterday, known to the day, stays older whenever it is sent again',
  async (t) => {
    const rows = new Rows();
    take(rows, 1, dated('P', '20261122', '20261122110000+0100'));
    take(rows, 2, dated('F', '20261123', '20261123090000+0100'));
    const [late] = take(rows, 3, dated('P', '20261122', '20261124090000+0100')) as [ClinicalEvent];
    t.same(said(late), [true, ['order 2', 'observations[0] 2']]);
  },
);

t.test('status - a preliminary and its final in one record replace each other as in two', async (t) => {
  const rows = new Rows();
  const batch = Buffer.concat([report({ id: 'A', ...preliminary }), report({ id: 'B', ...final })]);
  const [first, second] = take(rows, 5, batch) as [ClinicalEvent, ClinicalEvent];
  t.same(said(first), [false, []]);
  t.same(said(second), [false, ['order 5', 'observations[0] 5']]);
  t.match(second.supersessions, [{ status: 'preliminary', toStatus: 'final', thisIsSuperseded: false }, {}]);
  const [late] = take(rows, 6, report({ ...preliminary, issued: '0930' })) as [ClinicalEvent];
  t.same(said(late), [true, ['order 5', 'observations[0] 5']], 'the final is what is remembered');
});

t.test('status - two OBR of one message under one number are two things', async (t) => {
  const rows = new Rows();
  const message = (issued: string, values: readonly string[], status: string) =>
    er7(
      `MSH|^~\\&|LAB|HOSP|||20261123${issued}30+0100||ORU^R01|M${issued}|P|2.5.1`,
      'PID|1||4711^^^HOSP^MR',
      ...values.flatMap((value, at) => [
        `OBR|${at + 1}||F1|GLU^^L|||202611230${8 - at}0000|||||||||||||||20261123${issued}00||LAB|${status}`,
        `OBX|1|NM|GLU^^L||${value}|mmol/L|||||${status}|||202611230${8 - at}0000`,
      ]),
    );
  for (const sequence of [1, 1]) {
    const events = take(rows, sequence, message('0900', ['9.1', '5.2'], 'F'));
    t.same(events.map(said), [
      [false, []],
      [false, []],
    ]);
  }
  const events = take(rows, 2, message('1000', ['9.3', '5.4'], 'C'));
  for (const [at, event] of events.entries()) {
    t.same(said(event), [false, ['order 1', 'observations[0] 1']]);
    const previous = event.observations[0]?.previous ?? [];
    t.same(
      previous.map(({ value }) => value),
      [['9.1', '5.2'][at]],
      'what was said before of the same time, and nothing of now',
    );
  }
  const [late] = take(rows, 3, message('0930', ['9.2'], 'F')) as [ClinicalEvent];
  t.same(said(late), [true, ['order 2', 'observations[0] 2']]);
});

t.test('status - a cancellation that names no result speaks for a replayed one too', async (t) => {
  for (const status of ['X', 'D']) {
    const rows = new Rows();
    take(rows, 1, report(final));
    take(rows, 2, report({ ...final, issued: '1100', message: '1101', status, results: [] }));
    const [replayed] = take(rows, 3, report(final)) as [ClinicalEvent];
    t.same(said(replayed), [true, ['order 2', 'observations[0] 2']], status);
    t.equal(replayed.observations[0]?.superseded, true);
    const [again] = take(rows, 4, report({ ...final, issued: '1200', message: '1201' })) as [ClinicalEvent];
    t.equal(again.superseded, false, 'a newer final is one again');
  }
});

t.test('status - results that are too many to be followed go with their order', async (t) => {
  const rows = new Rows();
  const results = Array.from({ length: 230 }, (_, at) => ({ code: `C${at}` }));
  take(rows, 1, report({ ...final, results }));
  take(rows, 2, report({ ...final, issued: '1100', message: '1101', status: 'C', results }));
  const [late] = take(rows, 3, report({ ...final, issued: '1030', message: '1031', results })) as [
    ClinicalEvent,
  ];
  t.equal(late.observations.filter(({ superseded }) => superseded).length, 230);
  t.equal(late.superseded, true, 'a final after its correction');
});

t.test('status - a number that people share (SSN) does not make two patients one', async (t) => {
  const rows = new Rows();
  const of = (mrn: string, sent: string, status: string) =>
    er7(
      `MSH|^~\\&|LAB|HOSP|||20261123${sent}00+0100||ORU^R01|M${sent}|P|2.5.1`,
      `PID|1||${mrn}^^^HOSP^MR~999999999^^^SSA^SS`,
      'OBR|1||F1|K^^L',
      `OBX|1|NM|K^^L||4||||||${status}`,
    );
  take(rows, 1, of('1', '1000', 'F'));
  const [event] = take(rows, 2, of('2', '0900', 'P')) as [ClinicalEvent];
  t.same(said(event), [false, []]);
  t.match(event.provenance?.remarks, ['the order number was used for another patient']);
});

t.test('status - a row that a later build wrote is absent, and costs no record', async (t) => {
  const rows = new Rows();
  take(rows, 1, report(final));
  for (const [name, row] of rows.rows) {
    if (!name.startsWith(`${orderRow.number} `)) continue;
    for (const bytes of [Buffer.concat([Buffer.of(200), row]), row.subarray(0, 12)]) {
      rows.rows.set(name, bytes);
      const [event] = take(rows, 2, report(preliminary), 'lab', about(2)) as [ClinicalEvent];
      t.same(said(event), [false, []]);
    }
  }
});

t.test(
  'status - what hangs from a result is known by that, not by how its value is worded [OBR-26]',
  async (t) => {
    const susceptibility = (parent: string, status: string, issued: string, filler = 'F1') =>
      er7(
        `MSH|^~\\&|LAB|HOSP|||20261123${issued}30+0100||ORU^R01|M${issued}|P|2.5.1`,
        'PID|1||4711^^^HOSP^MR',
        `OBR|1||${filler}|29576-6^Susceptibility^LN|||20261123080000+0100|||||||||||||||20261123${issued}00+0100||MB|${status}|${parent}`,
        `OBX|1|ST|20578-1^Vancomycin^LN||${status === 'C' ? '1' : '>8'}|ug/mL|||||${status}`,
      );
    const [staph, other] = [
      '600-7&Bact&LN^1^Staph aureus',
      '600-7&Bacteria identified&LN^1^Staph epidermidis',
    ];
    const rows = new Rows();
    take(rows, 1, susceptibility(staph, 'F', '0900'));
    const [corrected] = take(rows, 2, susceptibility(other, 'C', '1000')) as [ClinicalEvent];
    t.same(said(corrected), [false, ['order 1', 'observations[0] 1']]);
    const [late] = take(rows, 3, susceptibility('600-7&&LN^1', 'P', '0830')) as [ClinicalEvent];
    t.same(said(late), [true, ['order 2', 'observations[0] 2']]);
    // Another isolate, by its sub-id or, where there is none, by its name.
    const [second] = take(rows, 4, susceptibility('600-7&Bact&LN^2^E. coli', 'F', '1100')) as [ClinicalEvent];
    t.same(said(second), [false, []]);
    take(rows, 5, susceptibility('600-7&Bact&LN^^E. coli', 'F', '0900', 'F2'));
    const [unnumbered] = take(rows, 6, susceptibility('600-7&Bact&LN^^S. aureus', 'F', '1000', 'F2')) as [
      ClinicalEvent,
    ];
    t.same(said(unnumbered), [false, []]);
    // The value that made the laboratory add a test is no name of it.
    take(rows, 7, susceptibility('3016-3&TSH&LN^^8.5', 'F', '0900', 'F3'));
    const [reflex] = take(rows, 8, susceptibility('3016-3&TSH&LN^^ 9.1', 'C', '1000', 'F3')) as [
      ClinicalEvent,
    ];
    t.same(said(reflex), [false, ['order 7', 'observations[0] 7']]);
  },
);

t.test('status - of rows of one code that differ in time each is known by its own', async (t) => {
  const curve = [
    { value: '5.1', effective: '0800' },
    { value: '9.8', effective: '0900' },
    { value: '7.2', effective: '1000' },
  ];
  const again = (sequence: number, rows: Rows, status: string, results: Report['results'] = []) => {
    const issued = `1${sequence}00`;
    const [event] = take(rows, sequence, report({ ...final, issued, message: issued, status, results }));
    return event as ClinicalEvent;
  };
  const previous = ({ observations }: ClinicalEvent) =>
    observations.map((one) => one.previous.map(({ value }) => value));
  const begun = () => {
    const rows = new Rows();
    again(1, rows, 'F', curve);
    return rows;
  };
  const hour = begun();
  t.same(previous(again(2, hour, 'C', [{ value: '9.0', effective: '0900' }])), [['9.8']]);
  t.same(
    previous(
      again(3, hour, 'C', [
        { value: '7.0', effective: '1000' },
        { value: '5.0', effective: '0800' },
      ]),
    ),
    [['7.2'], ['5.1']],
  );
  const withdrawn = begun();
  again(2, withdrawn, 'X', [{ value: '9.8', effective: '0900' }]);
  const [first] = take(
    withdrawn,
    3,
    report({ ...final, issued: '1100', message: '1100', results: curve.slice(0, 1) }),
  );
  t.equal(first?.observations[0]?.superseded, false, 'what was withdrawn is of another hour');
  t.same(previous(again(4, begun(), 'F', [{ value: '6.0', effective: '1100' }])), [[]], 'one more');
  const moved = [...curve.slice(0, 1), { value: '9.8', effective: '0905' }, ...curve.slice(2)];
  t.same(previous(again(4, begun(), 'C', moved))[1], ['9.8'], 'the whole of it, with a time put right');
  t.same(
    previous(again(4, begun(), 'C', [{ value: '5' }, { value: '6' }])),
    [['5.1'], ['9.8']],
    'without times',
  );
});

t.test(
  'status - an event that its correction overtook is marked in the row of that hour alone',
  async (t) => {
    const rows = new Rows();
    const record = { epoch: 7n, sequence: 1n };
    const curve = ['0800', '0900'].map((effective) => ({ effective, value: effective }));
    const [event] = take(rows, 1, report({ ...final, results: curve })) as [ClinicalEvent];
    const late = {
      ...final,
      issued: '1100',
      message: '1101',
      status: 'C',
      results: [{ value: '9', effective: '0900' }],
    };
    const [by] = take(rows, 2, report(late)) as [ClinicalEvent];
    markOvertaken(event, record, by);
    t.same(
      event.observations.map(({ superseded }) => superseded),
      [false, true],
    );
  },
);

t.test('status - two placer numbers under one filler number are two orders', async (t) => {
  const rows = new Rows();
  const of = (sequence: number, placer: string, status: string, value: string, patient = '4711') => {
    const issued = `1${sequence}00`;
    const results = [{ value }];
    const raw = report({ ...final, issued, message: issued, status, placer, patient, results });
    return take(rows, sequence, raw)[0] as ClinicalEvent;
  };
  of(1, 'P1', 'F', '1');
  const second = of(2, 'P2', 'P', '2');
  t.same(said(second), [false, []]);
  t.match(second.provenance?.remarks, ['the filler number was used with another placer number: two orders']);
  const done = of(3, 'P2', 'F', '3');
  t.same(said(done), [false, ['order 2', 'observations[0] 2']]);
  const stale = take(rows, 4, report({ ...preliminary, placer: 'P2', issued: '1130' }))[0] as ClinicalEvent;
  t.same(said(stale), [true, ['order 3', 'observations[0] 3']], 'each is followed');
  t.same(said(of(5, 'P1', 'C', '5')), [false, ['order 1', 'observations[0] 1']]);
  t.same(said(of(6, '', 'C', '6')), [false, ['observations[0] 5']], 'names none');
  const anew = of(7, 'P9', 'F', '7', '4712');
  t.same(said(anew), [false, []]);
  t.match(anew.provenance?.remarks, ['the order number was used for another patient']);
  const [row] = [...rows.rows].filter(([name]) => name.startsWith(`${orderRow.number} `));
  const read = orderRow.decode(row?.[1] as Uint8Array);
  t.same(orderRow.decode(Uint8Array.from(orderRow.encode(read as NonNullable<typeof read>))), read);
  t.equal(read?.others.length, 2);
});

t.test('status - two placer numbers in the first message of a filler number are two orders', async (t) => {
  const rows = new Rows();
  const both = (sequence: number, status: string) =>
    take(
      rows,
      sequence,
      er7(
        `MSH|^~\\&|LAB|HOSP|||2026112310${sequence}000+0100||ORU^R01|M${sequence}|P|2.5.1`,
        'PID|1||4711^^^HOSP^MR',
        ...['P1', 'P2'].flatMap((placer) => [
          `OBR|1|${placer}|F1|BC^^L|||20261123080000|||||||||||||||||LAB|${status}`,
          `OBX|1|ST|BC^^L||${placer} ${status}||||||${status}`,
        ]),
      ),
    );
  both(1, 'P');
  for (const [at, event] of both(2, 'F').entries()) {
    t.same(said(event), [false, ['order 1', 'observations[0] 1']]);
    t.match(event.observations[0]?.previous, [{ value: `P${at + 1} P` }]);
    t.equal(event.observations[0]?.previous.length, 1);
  }
  const [first, other] = both(1, 'P') as [ClinicalEvent, ClinicalEvent];
  for (const event of [first, other]) Object.assign(event, { superseded: false, supersessions: [] });
  Object.assign(other.observations[0] ?? {}, { superseded: false });
  markOvertaken(other, { epoch: 7n, sequence: 1n }, both(2, 'F')[0] as ClinicalEvent);
  t.equal(other.superseded, false, 'the final is of the other one');
});
