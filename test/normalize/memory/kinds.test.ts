/** Prescriptions, documents and appointments in the light of what came before, as orders and results are. */
import t from 'tap';
import { markOvertaken } from '../../../gateway/normalize/memory/overtaken.ts';
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { er7 } from '../context.ts';
import { epoch, Rows, take } from './site.ts';

const patient = 'PID|1||4711^^^HOSP^MR';

function head(type: string, at: string): string {
  return `MSH|^~\\&|APP|HOSP|||20261123${at}00+0100||${type}|M${at}|P|2.5.1`;
}

function one(rows: Rows, sequence: number, ...lines: string[]): ClinicalEvent {
  const [event, ...more] = take(rows, sequence, er7(...lines));
  if (event === undefined || more.length > 0) throw new Error('not one event');
  return event;
}

function said({ superseded, supersessions }: ClinicalEvent): [boolean, string[]] {
  return [superseded, supersessions.map(({ what, record }) => `${what} ${record?.sequence}`)];
}

function prescription(
  rows: Rows,
  sequence: number,
  control: string,
  at: string,
  dose?: string,
): ClinicalEvent {
  const drug = dose === undefined ? [] : [`RXE|^^^20261123|HEP^Heparin^L|${dose}||IU`];
  return one(rows, sequence, head('RDE^O11', at), patient, `ORC|${control}|R1`, ...drug);
}

t.test('prescriptions - a change that comes after the drug was stopped is superseded', async (t) => {
  const rows = new Rows();
  prescription(rows, 1, 'NW', '0800', '5000');
  t.same(said(prescription(rows, 3, 'DC', '1000')), [false, ['order 1']]);
  t.same(said(prescription(rows, 2, 'XO', '0900', '7500')), [true, ['order 3']]);
  // The stop was urgent, and the prescription waits behind it.
  const stopped = prescription(rows, 3, 'DC', '1000');
  const waiting = prescription(new Rows(), 1, 'NW', '0800', '5000');
  markOvertaken(waiting, { epoch, sequence: 1n }, stopped);
  t.equal(waiting.superseded, true);
});

t.test('prescriptions - each dose that is given is itself, whatever its order', async (t) => {
  const rows = new Rows();
  prescription(rows, 1, 'NW', '0800', '5000');
  const given = (sequence: number, at: string) =>
    one(
      rows,
      sequence,
      head('RAS^O17', at),
      patient,
      'ORC|RE|R1',
      `RXA|0|1|20261123${at}|20261123${at}|HEP^Heparin^L|5000|IU|||||||||||||CP`,
    );
  for (const [sequence, at] of [
    [3, '1000'],
    [2, '0900'],
  ] as const)
    t.same(said(given(sequence, at)), [false, []]);
});

t.test(
  'documents - a draft that comes after the document was signed or withdrawn is superseded',
  async (t) => {
    const rows = new Rows();
    const of = (
      sequence: number,
      trigger: string,
      at: string,
      number: string,
      parent: string,
      status: string,
    ) => {
      const txa = ['TXA', '1', 'DS', 'TX', '202611230700'];
      Object.assign(txa, { 12: number, 13: parent, 17: status });
      return one(
        rows,
        sequence,
        head(`MDM^${trigger}`, at),
        patient,
        Array.from(txa, (field) => field ?? '').join('|'),
        'OBX|1|TX|REP^^L||text||||||F',
      );
    };
    of(1, 'T02', '0800', 'D1', '', 'IP');
    t.same(said(of(2, 'T04', '0900', 'D1', '', 'AU')), [false, ['order 1']]);
    t.same(said(of(1, 'T02', '0800', 'D1', '', 'IP')), [true, ['order 2']]);
    t.same(said(of(3, 'T06', '0930', 'D2', 'D1', 'AU')), [false, []], 'an addendum is a document of its own');
    t.same(said(of(5, 'T11', '1100', 'D1', '', 'AU')), [false, ['order 2', 'order 1']]);
    t.same(said(of(4, 'T08', '1000', 'D1', '', 'AU')), [true, ['order 5']]);
  },
);

t.test('appointments - a booking that comes after it was moved or cancelled is superseded', async (t) => {
  const rows = new Rows();
  const of = (sequence: number, trigger: string, at: string, numbers: string, status = 'Booked') =>
    one(
      rows,
      sequence,
      head(`SIU^${trigger}`, at),
      `SCH|${numbers}|||||CHECK^Checkup|||30|min|^^30^202611300900|||||||||||||||${status}`,
      patient,
      'RGS|1',
      'AIP|1||D1^Doc',
    );
  of(1, 'S12', '0800', 'A1|B1');
  t.same(said(of(3, 'S15', '1000', 'A1|B1', 'Cancelled')), [false, ['order 1']]);
  t.same(said(of(2, 'S13', '0900', '|B1')), [true, ['order 3']]);
  t.same(said(of(2, 'S13', '0900', 'A1')), [true, ['order 3']], 'by its other number');
  // Two of a series have one number.
  of(4, 'S12', '0800', 'A2|B2|1');
  t.same(said(of(5, 'S15', '1000', 'A2|B2|2', 'Cancelled')), [false, []]);
  t.same(said(of(6, 'S13', '0900', 'A2|B2|1')), [false, ['order 4']]);
});
