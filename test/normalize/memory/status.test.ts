/** Status as a state machine per order and observation (CONTRACT.md: a stale preliminary never replaces a final). */
import t from 'tap';
import { newer, place } from '../../../gateway/normalize/memory/newness.ts';
import type { RememberedState } from '../../../gateway/normalize/memory/order-codec.ts';
import { orderRow } from '../../../gateway/normalize/memory/order-rows.ts';
import type { ClinicalEvent, Supersession } from '../../../proto/gen/hilum/v1/event.ts';
import { below, seededRandom, seedOfThisRun } from '../../kit/random.ts';
import { er7 } from '../context.ts';
import { epoch, type Report, type Result, Rows, report, take } from './site.ts';

function one(rows: Rows, sequence: number, of: Report, source?: string): ClinicalEvent {
  const [event, ...more] = take(rows, sequence, report({ id: `M${sequence}`, ...of }), source);
  if (event === undefined || more.length > 0) throw new Error('not one event');
  return event;
}

/** What is said of the order or of one observation: of several records that it replaces, of the newest. */
function of(event: ClinicalEvent, what: string): Partial<Supersession> | undefined {
  const found = event.supersessions.filter((said) => said.what === what);
  const records = new Set(found.map(({ record }) => record?.sequence));
  if (records.size < found.length) throw new Error(`${what} is said of twice against one record`);
  if (found.length > 1 && (what !== 'order' || found.some((said) => said.thisIsSuperseded)))
    throw new Error(`${what} is said of twice`);
  return found[0];
}

const preliminary: Report = { issued: '0900', message: '0901', status: 'P', results: [{ value: '3.9' }] };
const final: Report = { issued: '1000', message: '1001', status: 'F', results: [{ value: '4.1' }] };
const corrected: Report = { issued: '1100', message: '1101', status: 'C', results: [{ value: '5.1' }] };

t.test('status - the first state replaces nothing, a final one replaces its preliminary', async (t) => {
  const rows = new Rows();
  const first = one(rows, 1, preliminary);
  t.same([first.supersessions, first.superseded, first.enriched], [[], false, []]);
  const second = one(rows, 2, final);
  const said = {
    status: 'preliminary',
    toStatus: 'final',
    thisIsSuperseded: false,
    decidedBy: 'issued',
    statusFlag: '',
  };
  t.match(of(second, 'order'), { ...said, record: { epoch, sequence: 1n } });
  t.match(of(second, 'observations[0]'), { ...said, record: { epoch, sequence: 1n } });
  t.equal(second.superseded, false);
  t.ok(second.provenance?.rules.includes('memory/status'));
});

t.test('status - a preliminary that comes after its final is superseded, and changes nothing', async (t) => {
  const rows = new Rows();
  one(rows, 1, final);
  const late = one(rows, 2, preliminary);
  t.equal(late.superseded, true);
  t.equal(late.observations[0]?.superseded, true);
  const said = { status: 'final', toStatus: 'preliminary', thisIsSuperseded: true, decidedBy: 'issued' };
  t.match(of(late, 'observations[0]'), { ...said, record: { sequence: 1n } });
  t.match(of(late, 'order'), said);
  t.match(of(one(rows, 3, corrected), 'order'), {
    status: 'final',
    toStatus: 'corrected',
    record: { sequence: 1n },
  });
});

t.test('status - a correction that overtook its final leaves the final superseded', async (t) => {
  const rows = new Rows();
  one(rows, 1, preliminary);
  // The STAT correction has the higher sequence and is normalized first.
  t.match(of(one(rows, 9, corrected), 'order'), { status: 'preliminary', thisIsSuperseded: false });
  const overtaken = one(rows, 5, final);
  t.equal(overtaken.superseded, true);
  t.match(of(overtaken, 'observations[0]'), { status: 'corrected', record: { sequence: 9n } });
});

t.test('status - final back to preliminary is delivered when it is newer, and flagged', async (t) => {
  const rows = new Rows();
  one(rows, 1, final);
  const back = one(rows, 2, { ...preliminary, issued: '1200', message: '1201' });
  t.equal(back.superseded, false);
  for (const what of ['order', 'observations[0]']) {
    t.match(of(back, what), {
      status: 'final',
      toStatus: 'preliminary',
      thisIsSuperseded: false,
      statusFlag: 'unusual-transition',
    });
  }
  t.equal(
    of(one(rows, 3, { ...final, issued: '1300', message: '1301' }), 'order')?.statusFlag,
    '',
    'final again',
  );
});

t.test(
  'status - the same again replaces nothing, whether resent as it was or with a new MSH-7',
  async (t) => {
    const rows = new Rows();
    one(rows, 1, preliminary);
    one(rows, 2, final);
    const resent = one(rows, 3, final);
    t.same([resent.supersessions, resent.superseded], [[], false]);
    const again = one(rows, 4, { ...final, message: '1400' });
    t.same([again.supersessions, again.superseded], [[], false]);
    t.equal(one(rows, 5, preliminary).superseded, true, 'the preliminary, resent');
    t.equal(one(rows, 6, { ...preliminary, message: '1500' }).superseded, true, 'under a new MSH-7');
  },
);

t.test('status - a record that is normalized once more gives the same answer', async (t) => {
  const rows = new Rows();
  one(rows, 1, preliminary);
  const first = one(rows, 2, final);
  const left = new Map(rows.rows);
  const again = one(rows, 2, final);
  t.same(again.supersessions, first.supersessions);
  t.same(again.observations, first.observations);
  t.same(rows.rows, left);
});

t.test('status - an order and a result whose codings were swapped are the same', async (t) => {
  const rows = new Rows();
  const local = 'GLU^Glucose^L^2345-7^Glucose^LN';
  const swapped = '2345-7^Glucose^LN^GLU^Glucose^L';
  const raw = (of: Report, code: string) =>
    Buffer.from(
      report({ ...of, service: code })
        .toString()
        .replaceAll('K^^L', code),
    );
  take(rows, 1, raw({ ...preliminary, id: 'A' }, 'GLU^Glucose^L'));
  const [both] = take(rows, 2, raw({ ...final, id: 'B' }, local));
  t.match(both && of(both, 'observations[0]'), { record: { sequence: 1n }, thisIsSuperseded: false });
  const [event] = take(rows, 3, raw({ ...corrected, id: 'C' }, swapped));
  if (event === undefined) throw new Error('no event');
  t.match(of(event, 'order'), { record: { sequence: 2n }, thisIsSuperseded: false });
  t.match(of(event, 'observations[0]'), { record: { sequence: 2n }, status: 'final', toStatus: 'corrected' });
  t.match(event.observations[0]?.previous, [{ value: '4.1', otherOrder: false }, { value: '3.9' }]);
});

t.test('status - a final report that leaves out what is not final says so', async (t) => {
  const rows = new Rows();
  const results = ['1', '2', '3'].map((subId) => ({ code: 'RPT', subId }));
  one(rows, 1, { ...preliminary, results });
  const shorter = one(rows, 2, { ...final, results: results.slice(0, 2) });
  const said = 'results of earlier reports that are not final and not in this one: 1';
  t.same(shorter.provenance?.remarks, [said]);
  t.match(of(shorter, 'order'), { status: 'preliminary', toStatus: 'final' });
  const whole = one(rows, 3, { ...corrected, results });
  t.same(whole.provenance?.remarks, []);
});

t.test('status - reports in parts do not supersede each other', async (t) => {
  const rows = new Rows();
  one(rows, 2, { ...final, issued: '1010', results: [{ code: 'NA', value: '140' }] });
  const late = one(rows, 1, { ...final, issued: '1000', results: [{ code: 'K', value: '6.9' }] });
  t.equal(late.superseded, false, 'the older part is still the only word on potassium');
  t.equal(late.observations[0]?.superseded, false);
});

t.test('status - of a message with old and new results only the old ones are superseded', async (t) => {
  const rows = new Rows();
  one(rows, 2, { ...final, results: [{ code: 'K', value: '4.1' }] });
  const late = one(rows, 1, {
    ...final,
    issued: '0930',
    results: [{ code: 'K', value: '4.0' }, { code: 'NA' }],
  });
  t.same(
    late.observations.map(({ superseded }) => superseded),
    [true, false],
  );
  t.equal(late.superseded, false);
});

t.test(
  'status - an older preliminary finding that the final report does not name is superseded by it',
  async (t) => {
    const rows = new Rows();
    one(rows, 2, { ...final, results: [{ code: 'ORGANISM', value: '1' }] });
    const late = one(rows, 1, { ...preliminary, results: [{ code: 'GROWTH', value: '0' }] });
    t.match(of(late, 'observations[0]'), { thisIsSuperseded: true, decidedBy: 'order', status: 'final' });
    t.equal(late.superseded, true);
  },
);

t.test('status - OBX-14, OBX-19, MSH-7 and the order of arrival decide where OBR-22 does not', async (t) => {
  const cases: [string, Result, string, Result, string][] = [
    ['effective', { effective: '0800' }, '1200', { effective: '0810' }, '1100'],
    ['analyzed', { analyzed: '0830' }, '1200', { analyzed: '0840' }, '1100'],
    ['message', { analyzed: '0830' }, '1100', {}, '1200'],
    ['message', {}, '1100', { analyzed: '0830' }, '1200'],
    ['message', {}, '1100', {}, '1200'],
    ['sequence', {}, '1100', {}, '1100'],
  ];
  for (const [by, old, oldMessage, young, youngMessage] of cases) {
    const older: Report = {
      issued: '1000',
      message: oldMessage,
      status: 'P',
      results: [{ value: '1', ...old }],
    };
    const younger: Report = {
      issued: '1000',
      message: youngMessage,
      status: 'F',
      results: [{ value: '2', ...young }],
    };
    const inOrder = new Rows();
    one(inOrder, 1, older);
    t.match(of(one(inOrder, 2, younger), 'observations[0]'), { decidedBy: by, thisIsSuperseded: false }, by);
    const turned = new Rows();
    one(turned, 2, younger);
    t.match(
      of(one(turned, 1, older), 'observations[0]'),
      { decidedBy: by, thisIsSuperseded: true },
      `${by}, late`,
    );
  }
});

t.test(
  'status - a final without OBR-22 is not replaced by a preliminary that is resent with a younger MSH-7',
  async (t) => {
    const rows = new Rows();
    one(rows, 1, { ...final, issued: '', message: '1200' });
    t.equal(one(rows, 2, { ...preliminary, issued: '1000', message: '1300' }).superseded, true);
  },
);

t.test('status - a time that the clock shows twice decides nothing', async (t) => {
  const rows = new Rows();
  const at = (sequence: number, obr22: string, sent: string, status: string) =>
    take(
      rows,
      sequence,
      er7(
        `MSH|^~\\&|LAB|HOSP|||${sent}||ORU^R01|M${sequence}|P|2.5.1`,
        `OBR|1||F1|K^^L|||20261025000000+0200|||||||||||||||${obr22}||LAB|${status}`,
        `OBX|1|NM|K^^L||${sequence}||||||${status}`,
      ),
    )[0] as ClinicalEvent;
  at(1, '20261025023000', '20261025023000+0200', 'P');
  const final = at(2, '20261025021000', '20261025021000+0100', 'F');
  t.equal(final.superseded, false, '02:10 winter time is after 02:30 summer time');
  t.match(of(final, 'order'), { status: 'preliminary' });
});

t.test('status - sources, numbers, services and patients are kept apart', async (t) => {
  const rows = new Rows();
  one(rows, 1, final);
  for (const [name, event] of [
    ['source', one(rows, 2, preliminary, 'other')],
    ['number', one(rows, 3, { ...preliminary, filler: 'F2' })],
    ['service', one(rows, 4, { ...preliminary, service: 'BMP^^L' })],
    ['patient', one(rows, 5, { ...preliminary, patient: '4712' })],
    ['no number', one(rows, 6, { ...preliminary, filler: '' })],
  ] as const)
    t.same([event.supersessions, event.superseded], [[], false], name);
  t.equal(one(rows, 7, preliminary).superseded, true, 'and the first one is what it was');
});

t.test('status - a number that is used anew for another patient begins anew', async (t) => {
  const rows = new Rows();
  one(rows, 1, final);
  const reused = one(rows, 2, { ...preliminary, patient: '4712', issued: '1200', message: '1201' });
  t.same([reused.supersessions, reused.superseded], [[], false]);
  t.match(reused.provenance?.remarks, ['the order number was used for another patient']);
  t.match(of(one(rows, 3, { ...final, patient: '4712', issued: '1300', message: '1301' }), 'order'), {
    record: { sequence: 2n },
  });
});

t.test('status - an order that was cancelled speaks for the results that come late', async (t) => {
  const rows = new Rows();
  one(rows, 2, { ...final, status: 'X', results: [] });
  const late = one(rows, 1, { ...final, issued: '0930', message: '0931' });
  t.match(of(late, 'observations[0]'), { status: 'cancelled', decidedBy: 'order' });
  t.equal(late.superseded, true);
});

t.test('status - requests are followed by themselves', async (t) => {
  const rows = new Rows();
  const order = (sequence: number, control: string, sent: string) =>
    take(
      rows,
      sequence,
      er7(
        `MSH|^~\\&|EHR|HOSP|||20261123${sent}||ORM^O01|O${sequence}|P|2.5.1`,
        'PID|1||4711^^^HOSP^MR',
        `ORC|${control}|P1`,
        'OBR|1|P1||K^^L',
      ),
    )[0] as ClinicalEvent;
  order(1, 'NW', '080000');
  t.match(of(order(3, 'CA', '090000'), 'order'), {
    status: 'requested',
    toStatus: 'cancelled',
    statusFlag: '',
  });
  t.equal(order(2, 'XO', '083000').superseded, true, 'a change that comes after the cancellation');
  t.match(of(order(4, 'NW', '093000'), 'order'), { status: 'cancelled', statusFlag: 'unusual-transition' });
});

t.test('status - lines of a text under one code are told apart', async (t) => {
  const rows = new Rows();
  const lines = (...values: string[]) => values.map((value) => ({ code: 'TEXT', value }));
  const first = one(rows, 1, { ...preliminary, results: lines('1', '2', '3') });
  t.same(first.supersessions, [], 'the lines of one message do not replace each other');
  const second = one(rows, 2, { ...final, results: lines('1', '5') });
  t.same(
    second.observations.map(({ previous }) => previous.map(({ value }) => value)),
    [['1'], ['2']],
  );
});

t.test('previous values - the last three, the newest first, with source, status and age', async (t) => {
  const rows = new Rows();
  for (let at = 1; at <= 5; at += 1) {
    one(rows, at, {
      issued: `100${at}`,
      status: 'P',
      results: [{ value: `4.${at}0`, effective: `090${at}` }],
    });
  }
  const last = one(rows, 9, { issued: '1100', status: 'F', results: [{ value: '4.9' }] });
  t.same(
    last.observations[0]?.previous,
    [5, 4, 3].map((at) => ({
      value: `4.${at}0`,
      unit: 'mmol/L',
      status: 'preliminary',
      effective: `2026-11-23T09:0${at}:00+01:00`,
      record: { epoch, sequence: BigInt(at) },
      source: 'lab',
      ageS: BigInt(9 - at),
      otherOrder: false,
    })),
  );
  const record = { epoch, sequence: 5n };
  t.same(last.enriched, [{ path: 'observations[0].previous', source: 'lab', ageS: 4n, record }]);
});

t.test('status - a row is bounded, however many results a report has', async (t) => {
  const rows = new Rows();
  const results = Array.from({ length: 1000 }, (_, at) => ({ code: `C${at}`, value: 'x'.repeat(2000) }));
  one(rows, 1, { ...preliminary, results });
  one(rows, 2, { ...final, results });
  const [row] = rows.rows.values();
  t.ok(row !== undefined && row.length < 64 * 1024, `${row?.length} bytes`);
  const late = one(rows, 3, { ...preliminary, results });
  t.equal(late.superseded, true, 'those that are not followed one by one go with their order');
});

t.test('status - whatever the order of arrival, the newest stays and nothing older changes it', async (t) => {
  const seed = seedOfThisRun();
  t.comment(`seed ${seed}`);
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]) => list[below(random, list.length)] as T;
  const time = () => `1${below(random, 3)}${pick(['00', '10', '20'])}`;
  for (let round = 0; round < 150; round += 1) {
    // Within a series OBX-19 is always sent or never.
    const analyzed = below(random, 2) === 0;
    const messages = Array.from({ length: 2 + below(random, 7) }, (_, at): [number, Report] => [
      at + 1,
      {
        issued: below(random, 4) === 0 ? '' : time(),
        message: time(),
        status: pick(['P', 'F', 'C', 'A', 'X', 'D']),
        results: [
          {
            value: String(below(random, 4)),
            effective: below(random, 3) === 0 ? '' : time(),
            ...(analyzed ? { analyzed: time() } : {}),
          },
        ],
      },
    ]);
    const currents = new Set<string>();
    for (let permutation = 0; permutation < 6; permutation += 1) {
      const shuffled = messages.map((message) => ({ message, at: random() })).sort((a, b) => a.at - b.at);
      const rows = new Rows();
      let before: RememberedState | undefined;
      for (const {
        message: [sequence, said],
      } of shuffled) {
        const event = one(rows, sequence, said);
        const now = current(rows);
        const [observation] = event.observations;
        const wins = before === undefined || newer(now, before).difference > 0;
        // Either this record is now the newest, or it is said to be superseded, or it repeats the newest.
        if (observation?.superseded) t.same(now, before, `round ${round}: an older one changed what stands`);
        else if (!wins) t.same(now, before, `round ${round}: neither newer nor older`);
        if (before !== undefined && newer(now, before).difference < 0) t.fail(`round ${round}: went back`);
        before = now;
      }
      const { sequence: _, epoch: __, capturedS: ___, ...content } = current(rows);
      currents.add(JSON.stringify(content));
    }
    if (currents.size !== 1) t.fail(`round ${round}: ${[...currents].join(' or ')}`);
  }
  t.pass('150 series in 6 orders each');
});

/** Of the only observation. */
function current(rows: Rows): RememberedState {
  const [row] = rows.rows.values();
  const state = orderRow.decode(row as Uint8Array)?.observations[0]?.states[0];
  if (state === undefined) throw new Error('nothing is remembered');
  return state;
}

t.test('newness - places are by time alone, four at most', async (t) => {
  const state = (sequence: number, issuedMs: number, status = 'final'): RememberedState => ({
    sequence,
    epoch: 0n,
    status,
    issuedMs,
    effectiveMs: 0,
    analyzedMs: 0,
    messageMs: 0,
    capturedS: 0,
    value: String(sequence),
    unit: '',
    effective: '',
    digest: new Uint8Array(0),
  });
  let states: readonly RememberedState[] = [];
  for (const at of [3, 1, 5, 2, 4]) states = place(states, state(at, at * 1000)).states;
  t.same(
    states.map(({ sequence }) => sequence),
    [5, 4, 3, 2],
  );
  t.same(place(states, state(1, 1000)), { states, at: 4 }, 'older than all that is kept');
  t.equal(place(states, state(1, 1000)).states, states, 'and nothing is to be written');
});

t.test(
  'status - an order names every record that it replaces, whichever of them arrives first',
  async (t) => {
    const rows = new Rows();
    one(rows, 1, preliminary);
    one(rows, 2, final);
    const { supersessions } = one(rows, 3, corrected);
    t.match(
      supersessions.map(({ what, status, record }) => [what, status, record?.sequence]),
      [
        ['order', 'final', 2n],
        ['order', 'preliminary', 1n],
        ['observations[0]', 'final', 2n],
      ],
    );
  },
);
