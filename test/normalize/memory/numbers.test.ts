/** Which order a message means: by either of its numbers, with or without what was asked for, and whose it is. */
import t from 'tap';
import { orderRow } from '../../../gateway/normalize/memory/order-rows.ts';
import { markOvertaken } from '../../../gateway/normalize/memory/overtaken.ts';
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { er7 } from '../context.ts';
import { epoch, type Report, Rows, report, take } from './site.ts';

interface Request {
  /** ORC-1, ORC-2, ORC-3, OBR-4; MSH-7 as HHMM. */
  control: string;
  at: string;
  placer?: string;
  filler?: string;
  services?: string[];
  patient?: string;
}

function request(rows: Rows, sequence: number, of: Request): ClinicalEvent[] {
  const { control, at, placer = '', filler = '', services = ['K^^L'], patient = '4711^^^HOSP^MR' } = of;
  const orders = services.length === 0 ? [''] : services;
  return take(
    rows,
    sequence,
    er7(
      `MSH|^~\\&|EHR|HOSP|||20261123${at}00+0100||ORM^O01|O${sequence}|P|2.5.1`,
      `PID|1||${patient}`,
      ...orders.flatMap((service) => [
        `ORC|${control}|${placer}|${filler}`,
        ...(service === '' ? [] : [`OBR|1|${placer}|${filler}|${service}`]),
      ]),
    ),
    'ehr',
  );
}

function said({ superseded, supersessions }: ClinicalEvent): [boolean, string[]] {
  return [superseded, supersessions.map(({ what, record }) => `${what} ${record?.sequence}`)];
}

t.test('orders - a cancellation that does not repeat what was asked for is of all of it', async (t) => {
  const services = ['K^^L', 'NA^^L'];
  const rows = new Rows();
  request(rows, 1, { control: 'NW', at: '0800', placer: 'P1', services });
  const [cancelled] = request(rows, 3, { control: 'CA', at: '0900', placer: 'P1', services: [] });
  t.same(said(cancelled as ClinicalEvent), [false, ['order 1']]);
  for (const event of request(rows, 2, { control: 'XO', at: '0830', placer: 'P1', services }))
    t.same(said(event), [true, ['order 3']], 'a change that comes after it');
  const turned = new Rows();
  request(turned, 2, { control: 'CA', at: '0900', placer: 'P1', services: [] });
  for (const event of request(turned, 1, { control: 'NW', at: '0800', placer: 'P1', services }))
    t.same(said(event), [true, ['order 2']], 'the request that comes after it');
});

t.test('orders - one of several under a number ends alone', async (t) => {
  const rows = new Rows();
  request(rows, 1, { control: 'NW', at: '0800', placer: 'P1', services: ['K^^L', 'NA^^L'] });
  request(rows, 2, { control: 'OC', at: '0900', placer: 'P1', services: ['K^^L'] });
  const [other] = request(rows, 3, { control: 'SC', at: '0930', placer: 'P1', services: ['NA^^L'] });
  t.same(said(other as ClinicalEvent), [false, ['order 1']]);
  t.equal(other?.supersessions[0]?.statusFlag, '');
});

t.test('orders - who names only the other number means the same order', async (t) => {
  const rows = new Rows();
  request(rows, 1, { control: 'NW', at: '0800', placer: 'P1' });
  request(rows, 2, { control: 'SC', at: '0810', placer: 'P1', filler: 'F1' });
  const [ended] = request(rows, 4, { control: 'OC', at: '0900', filler: 'F1' });
  t.same(said(ended as ClinicalEvent), [false, ['order 2', 'order 1']]);
  const [late] = request(rows, 3, { control: 'SC', at: '0820', placer: 'P1', filler: 'F1' });
  t.same(said(late as ClinicalEvent), [true, ['order 4']]);
  // The filler began it, and was told the placer's number.
  request(rows, 5, { control: 'SN', at: '0800', filler: 'F5' });
  const [numbered] = request(rows, 6, { control: 'NA', at: '0810', placer: 'P5', filler: 'F5' });
  t.same(said(numbered as ClinicalEvent), [false, ['order 5']]);
  const [again] = request(rows, 7, { control: 'CA', at: '0820', placer: 'P5' });
  t.same(said(again as ClinicalEvent), [false, ['order 6', 'order 5']]);
  // The filler's number goes on with the order that replaces the first one.
  request(rows, 8, { control: 'NW', at: '0830', placer: 'P9', filler: 'F5' });
  const [replaced] = request(rows, 9, { control: 'OC', at: '0840', filler: 'F5' });
  t.same(said(replaced as ClinicalEvent), [false, ['order 8']]);
});

t.test(
  'results - a report under the placer’s number alone is of the order that then has a filler’s',
  async (t) => {
    const rows = new Rows();
    const of = (sequence: number, at: string, status: string, filler: string) =>
      take(
        rows,
        sequence,
        report({
          message: at,
          issued: at,
          status,
          placer: 'P1',
          filler,
          results: [{ value: String(sequence) }],
        }),
      )[0] as ClinicalEvent;
    of(1, '0900', 'P', '');
    t.same(said(of(3, '1000', 'F', 'F1')), [false, ['order 1', 'observations[0] 1']]);
    t.same(said(of(2, '0930', 'P', '')), [true, ['order 3', 'observations[0] 3']]);
    t.same(said(of(4, '1100', 'F', 'F2')), [false, []], 'another specimen of the same order');
  },
);

t.test('orders - under a number that two patients were given each has an order', async (t) => {
  const rows = new Rows();
  const of = (sequence: number, patient: string, at: string, status: string, value: string) =>
    take(
      rows,
      sequence,
      report({ message: at, issued: at, status, patient, results: [{ value }] }),
    )[0] as ClinicalEvent;
  of(1, '100', '0900', 'F', '7.0');
  const right = of(2, '200', '1000', 'C', '7.0');
  t.same(said(right), [false, []]);
  t.match(right.provenance?.remarks, ['the order number was used for another patient']);
  const withdrawn = of(3, '100', '1001', 'W', '7.0');
  t.same(said(withdrawn), [false, ['order 1', 'observations[0] 1']]);
  const corrected = of(4, '200', '1100', 'C', '7.1');
  t.same(
    corrected.observations[0]?.previous.map(({ value }) => value),
    ['7.0'],
  );
  t.same(said(of(5, '100', '0900', 'F', '7.0')), [true, ['order 3', 'observations[0] 3']], 'replayed');
});

t.test('orders - a patient’s number without its authority is the same number', async (t) => {
  const rows = new Rows();
  request(rows, 1, { control: 'NW', at: '0800', placer: 'P1' });
  const [cancelled] = request(rows, 2, { control: 'CA', at: '0900', placer: 'P1', patient: '4711' });
  t.same(said(cancelled as ClinicalEvent), [false, ['order 1']]);
  t.same(cancelled?.provenance?.remarks, []);
  const [other] = request(rows, 3, { control: 'NW', at: '1000', placer: 'P1', patient: '4711^^^ELSE^MR' });
  t.match(other?.provenance?.remarks, ['the order number was used for another patient']);
});

t.test('results - hours of a tolerance test in a message each do not replace each other', async (t) => {
  for (const [name, times] of [
    ['OBR-7', (at: string) => ({ collected: at })],
    ['OBX-14', (at: string) => ({ collected: '0800', effective: at })],
  ] as const) {
    const rows = new Rows();
    const of = (sequence: number, sent: string, at: string, status: string, value: string) => {
      const { collected, effective = '' } = times(at) as { collected: string; effective?: string };
      const time = (text: string) => (text === '' ? '' : `20261123${text}00+0100`);
      return take(
        rows,
        sequence,
        er7(
          `MSH|^~\\&|LAB|HOSP|||${time(sent)}||ORU^R01|M${sequence}|P|2.5.1`,
          'PID|1||4711^^^HOSP^MR',
          `OBR|1||F1|GLU^^L|||${time(collected)}|||||||||||||||||LAB|${status}`,
          `OBX|1|NM|GLU^^L||${value}|mmol/L|||||${status}|||${time(effective)}`,
        ),
      )[0] as ClinicalEvent;
    };
    of(1, '0810', '0800', 'P', '5.0');
    t.same(said(of(2, '0820', '0800', 'F', '5.0')), [false, ['order 1', 'observations[0] 1']], name);
    const hour = of(3, '0910', '0900', 'F', '5.0');
    t.same([said(hour), hour.observations[0]?.previous], [[false, []], []], name);
    t.same(said(of(4, '1010', '1000', 'F', '7.2')), [false, []], name);
    const corrected = of(5, '1100', '0900', 'C', '9.1');
    t.match(corrected.supersessions.at(-1), { what: 'observations[0]', record: { sequence: 3n } }, name);
    t.match(corrected.observations[0]?.previous, [{ value: '5.0', record: { sequence: 3n } }], name);
    t.equal(corrected.observations[0]?.previous.length, 1, name);
    const first = of(2, '0820', '0800', 'F', '5.0');
    t.equal(first.observations[0]?.superseded, false, `${name}: the first hour stands`);
    t.equal(of(1, '0810', '0755', 'P', '4.9').superseded, true, `${name}: a preliminary that comes late`);
    t.equal(of(3, '0910', '0900', 'F', '5.0').superseded, true, `${name}: what was corrected`);
    // The correction is urgent, and comes before what waits in the routine lane.
    for (const [sequence, at, value, isReplaced] of [
      [2, '0800', '5.0', false],
      [3, '0900', '5.0', true],
      [4, '1000', '7.2', false],
    ] as const) {
      const fresh = new Rows();
      const { collected, effective = '' } = times(at) as { collected: string; effective?: string };
      const [waiting] = take(
        fresh,
        sequence,
        er7(
          'MSH|^~\\&|LAB|HOSP|||202611230820+0100||ORU^R01|M|P|2.5.1',
          'PID|1||4711^^^HOSP^MR',
          `OBR|1||F1|GLU^^L|||20261123${collected}00+0100|||||||||||||||||LAB|F`,
          `OBX|1|NM|GLU^^L||${value}|mmol/L|||||F|||${effective === '' ? '' : `20261123${effective}00+0100`}`,
        ),
      ) as [ClinicalEvent];
      markOvertaken(waiting, { epoch, sequence: BigInt(sequence) }, corrected);
      t.equal(waiting.superseded, isReplaced, `${name}: ${at} behind the correction of 0900`);
    }
  }
});

t.test('results - another time is the same time put right, where one alone was final', async (t) => {
  const rows = new Rows();
  const of = (sequence: number, at: string, status: string, effective: string) =>
    take(
      rows,
      sequence,
      report({ message: at, issued: at, status, results: [{ value: String(sequence), effective }] }),
    )[0] as ClinicalEvent;
  of(1, '0900', 'F', '0800');
  t.same(said(of(2, '1000', 'C', '0805')), [false, ['order 1', 'observations[0] 1']]);
  t.same(said(of(1, '0900', 'F', '0800')), [true, ['order 2', 'observations[0] 2']]);
});

t.test('results - what replaces a report that was sent twice names both', async (t) => {
  const rows = new Rows();
  const of = (sequence: number, at: string, status: string, value: string) =>
    take(rows, sequence, report({ message: at, status, results: [{ value }] }))[0] as ClinicalEvent;
  const first = of(1, '0900', 'F', '4.0');
  t.same(said(of(2, '0930', 'F', '4.0')), [false, []]);
  t.same(said(of(3, '0930', 'F', '4.0')), [false, []], 'byte for byte');
  const corrected = of(4, '1000', 'C', '4.9');
  t.same(said(corrected), [false, ['order 3', 'order 2', 'order 1', 'observations[0] 2']]);
  // All of them wait in the routine lane.
  markOvertaken(first, { epoch, sequence: 1n }, corrected);
  t.equal(first.superseded, true);
});

t.test('orders - a placer’s number is not the filler’s number of the same digits', async (t) => {
  const rows = new Rows();
  request(rows, 1, { control: 'NW', at: '0800', placer: '1001', filler: '2001', services: ['GLU^^L'] });
  request(rows, 2, { control: 'NW', at: '0810', placer: '2001', filler: '3001', services: ['CRE^^L'] });
  const [cancelled] = request(rows, 3, { control: 'OC', at: '0900', placer: '2001', services: [] });
  t.same(said(cancelled as ClinicalEvent), [false, ['order 2']]);
  const [ended] = request(rows, 4, { control: 'OC', at: '0910', filler: '2001', services: [] });
  t.same(said(ended as ClinicalEvent), [false, ['order 1']]);
});

t.test(
  'orders - who is behind a cancellation is not marked by it under the number of the other',
  async (t) => {
    const [first] = request(new Rows(), 1, {
      control: 'NW',
      at: '0800',
      placer: '1001',
      filler: '2001',
    }) as [ClinicalEvent];
    const rows = new Rows();
    request(rows, 1, { control: 'NW', at: '0800', placer: '2001' });
    const [cancelled] = request(rows, 3, { control: 'OC', at: '0900', placer: '2001' }) as [ClinicalEvent];
    t.same(said(cancelled), [false, ['order 1']]);
    markOvertaken(first, { epoch, sequence: 1n }, cancelled);
    t.equal(first.superseded, false);
  },
);

t.test('results - a filler’s number is not the placer’s number of the same digits', async (t) => {
  const rows = new Rows();
  const of = (sequence: number, at: string, status: string, numbers: Pick<Report, 'filler' | 'placer'>) =>
    take(
      rows,
      sequence,
      report({ message: at, issued: at, status, ...numbers, results: [{ value: String(sequence) }] }),
    )[0] as ClinicalEvent;
  of(1, '0900', 'F', { filler: '2001' });
  t.same(said(of(2, '1000', 'F', { filler: '3001', placer: '2001' })), [false, []]);
  t.same(said(of(3, '1100', 'C', { filler: '2001' })), [false, ['order 1', 'observations[0] 1']]);
  t.same(said(of(4, '1200', 'C', { filler: '3001', placer: '2001' })), [
    false,
    ['order 2', 'observations[0] 2'],
  ]);
});

t.test('appointments - a filler’s number is not the placer’s number of the same digits', async (t) => {
  const rows = new Rows();
  const of = (sequence: number, trigger: string, placer: string, filler: string) =>
    take(
      rows,
      sequence,
      er7(
        `MSH|^~\\&|SCH|HOSP|||202611231${sequence}0000+0100||SIU^${trigger}|S${sequence}|P|2.5.1`,
        `SCH|${placer}|${filler}|||||||||^^^202612010900+0100`,
        'PID|1||4711^^^HOSP^MR',
      ),
    )[0] as ClinicalEvent;
  of(1, 'S12', '', '2001');
  t.same(said(of(2, 'S12', '2001', '3001')), [false, []]);
  t.same(said(of(3, 'S15', '', '2001')), [false, ['order 1']]);
});

t.test('orders - a message that names no patient is of none, where its number is of several', async (t) => {
  const rows = new Rows();
  request(rows, 1, { control: 'NW', at: '0800', placer: '55', patient: 'A^^^HOSP^MR' });
  request(rows, 2, { control: 'NW', at: '0810', placer: '55', patient: 'B^^^HOSP^MR' });
  const [unnamed] = request(rows, 3, { control: 'OC', at: '0900', placer: '55', patient: '' });
  t.same(said(unnamed as ClinicalEvent), [false, []]);
  t.match(unnamed?.provenance?.remarks, [
    'the order number is of several patients, and the message names none of them',
  ]);
  const [named] = request(rows, 4, { control: 'OC', at: '0910', placer: '55', patient: 'B^^^HOSP^MR' });
  t.same(said(named as ClinicalEvent), [false, ['order 2']]);
  request(rows, 5, { control: 'NW', at: '0800', placer: '56', services: ['K^^L', 'NA^^L'] });
  const [alone] = request(rows, 6, {
    control: 'OC',
    at: '0900',
    placer: '56',
    services: [],
    patient: '',
  });
  t.same(said(alone as ClinicalEvent), [false, ['order 5']], 'of one patient');
  t.same(alone?.provenance?.remarks, []);
});

t.test('orders - the authority of a patient’s number is remembered where nothing else is new', async (t) => {
  const rows = new Rows();
  for (let sequence = 1; sequence <= 8; sequence += 1)
    request(rows, sequence, {
      control: 'SC',
      at: `090${sequence}`,
      placer: 'P1',
      patient: '4711',
    });
  request(rows, 9, { control: 'SC', at: '0800', placer: 'P1', patient: '4711^^^HOSP^MR' });
  const [other] = request(rows, 10, { control: 'NW', at: '1100', placer: 'P1', patient: '4711^^^ELSE^MR' });
  t.match(other?.provenance?.remarks, ['the order number was used for another patient']);
  t.same(said(other as ClinicalEvent), [false, []]);
});

t.test('results - of each time as much is remembered as of a result that has one time', async (t) => {
  const rows = new Rows();
  const of = (sequence: number, sent: string, effective: string, status: string, value: string) =>
    take(
      rows,
      sequence,
      report({ message: sent, issued: sent, status, results: [{ code: 'GLU', value, effective }] }),
    )[0] as ClinicalEvent;
  const hours = ['0700', '0800', '0900', '1000', '1100', '1200', '1300'];
  hours.forEach((at, index) => {
    of(index + 1, `1${index}30`, at, 'F', `${index + 1}.0`);
  });
  const corrected = of(8, '1800', '0700', 'C', '9.1');
  t.match(corrected.supersessions.at(-1), { what: 'observations[0]', record: { sequence: 1n } });
  t.match(corrected.observations[0]?.previous, [{ value: '1.0', record: { sequence: 1n } }]);
  t.equal(of(1, '1030', '0700', 'F', '1.0').superseded, true, 'what was corrected, sent again');
  for (const at of [10, 11, 12, 13, 14])
    take(
      rows,
      at,
      er7(
        `MSH|^~\\&|LAB|HOSP|||2026112318${at}00+0100||ORU^R01|M${at}|P|2.5.1`,
        'PID|1||4711^^^HOSP^MR',
        'OBR|1||F1|K^Potassium^L||||||||||||||||||||||F',
        `OBX|1|NM|GLU^^L||${at}|mmol/L|||||F`,
      ),
    );
  const again = of(9, '1900', '0800', 'C', '9.2');
  t.match(again.observations[0]?.previous.at(-1), { value: '2.0', record: { sequence: 2n } });
});

t.test('results - what is remembered of one time is bounded, and of all of them', async (t) => {
  const rows = new Rows();
  const kept = () =>
    [...rows.rows.keys()].flatMap((key) =>
      key.startsWith('1 ')
        ? (orderRow.decode(rows.rows.get(key) as Uint8Array)?.observations[0]?.states ?? [])
        : [],
    );
  const time = (at: number) =>
    `${String(Math.floor(at / 60)).padStart(2, '0')}${String(at % 60).padStart(2, '0')}`;
  for (let at = 0; at < 12; at += 1)
    take(rows, at + 1, report({ message: time(600 + at), status: 'F', results: [{ value: `${at}.0` }] }));
  t.equal(kept().length, 4);
  for (let at = 0; at < 30; at += 1)
    take(
      rows,
      at + 20,
      report({
        message: time(700 + at),
        status: 'F',
        results: [{ value: `${at}.5`, effective: time(650 + at) }],
      }),
    );
  t.equal(kept().length, 16);
});

t.test('orders - told under each number alone it is one order once a message names both', async (t) => {
  const rows = new Rows();
  request(rows, 1, { control: 'NW', at: '0800', placer: 'P1' });
  request(rows, 2, { control: 'SC', at: '0810', filler: 'F1' });
  const [both] = request(rows, 3, { control: 'SC', at: '0820', placer: 'P1', filler: 'F1' });
  t.same(said(both as ClinicalEvent), [false, ['order 1']], 'what is said once more replaces nothing');
  const [ended] = request(rows, 4, { control: 'OC', at: '0900', filler: 'F1' });
  t.same(said(ended as ClinicalEvent), [false, ['order 3', 'order 1', 'order 2']]);
  const [late] = request(rows, 5, { control: 'SC', at: '0830', placer: 'P1' });
  t.same(said(late as ClinicalEvent), [true, ['order 4']]);
});

t.test('orders - what another patient has under the other number stays theirs', async (t) => {
  const rows = new Rows();
  request(rows, 1, { control: 'NW', at: '0800', placer: 'P1', patient: 'A^^^HOSP^MR' });
  request(rows, 2, { control: 'SC', at: '0810', filler: 'F1', patient: 'B^^^HOSP^MR' });
  const [both] = request(rows, 3, {
    control: 'SC',
    at: '0820',
    placer: 'P1',
    filler: 'F1',
    patient: 'A^^^HOSP^MR',
  });
  t.same(said(both as ClinicalEvent), [false, ['order 1']]);
  const [ended] = request(rows, 4, { control: 'OC', at: '0900', filler: 'F1', patient: 'B^^^HOSP^MR' });
  t.same(said(ended as ClinicalEvent), [false, ['order 2']]);
});
