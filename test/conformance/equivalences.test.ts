/** Equal means the same in another notation, and nothing that is nearly the same. */
import t from 'tap';
import type { Code, Coding, HumanName, Identifier } from '../../proto/gen/hilum/v1/event.ts';
import {
  sameAppointmentStatus,
  sameBirthDate,
  sameCode,
  sameIdentifier,
  sameName,
  sameNumber,
  sameReportStatus,
  sameResultStatus,
  sameTime,
  sameUnit,
} from './equivalences.ts';

const coding = (over: Partial<Coding>): Coding => ({
  system: 'urn:hilum:lab:L',
  code: 'A',
  display: '',
  version: '',
  valueSet: '',
  valueSetVersion: '',
  name: 'L',
  mapped: false,
  ...over,
});
const code = (...codings: Coding[]): Code => ({ text: '', codings });

t.test('equivalence - an instant is the same in any offset, and no other instant is', async (t) => {
  t.ok(sameTime('2021-01-15T19:15:10+05:30', '2021-01-15T16:00:10+02:15'));
  t.ok(sameTime('2021-01-15T10:00:00Z', '2021-01-15T10:00:00.000+00:00'));
  t.notOk(sameTime('2021-01-15T10:00:00Z', '2021-01-15T10:00:00+01:00'));
  t.notOk(sameTime('2021-01-15T10:00:00.1Z', '2021-01-15T10:00:00.2Z'));
  t.notOk(sameTime('2021-01-15', '2021-01-15T00:00:00Z'), 'a day is not its midnight');
  t.notOk(sameTime('2021-01', '2021-01-01'));
  t.notOk(sameTime('', ''));
});

t.test('equivalence - a birth date is a day, with the precision that is said', async (t) => {
  t.ok(sameBirthDate('2024-10-15', '2024-10-15T10:39:00+00:00'));
  t.notOk(sameBirthDate('2024-10-15', '2024-10-16T00:39:00+00:00'));
  t.notOk(sameBirthDate('1970', '1970-10-31'));
  t.notOk(sameBirthDate('1970-10-31', '1970'));
});

t.test('equivalence - numbers are numbers', async (t) => {
  t.ok(sameNumber('65.88', '0065.88'));
  t.ok(sameNumber('850', '850.00'));
  for (const ours of ['<850', '850,0', '85', '', '0x352', '850 ']) t.notOk(sameNumber('850', ours), ours);
});

t.test(
  'equivalence - a system is the same under its URI, its name, or the URI made of the name',
  async (t) => {
    const made = 'http://example.com/v2-to-fhir-converter/CodeSystem/99USI';
    const said = (system: string, name = '') => ({ is: 'coding', code: 'A', system, name }) as const;
    t.ok(sameCode(said(made), code(coding({ name: '99USI' }))));
    t.notOk(sameCode(said(made), code(coding({ name: '99USL' }))));
    t.ok(sameCode(said('http://loinc.org'), code(coding({ system: 'http://loinc.org', name: 'LN' }))));
    t.notOk(sameCode(said('http://loinc.org'), code(coding({ name: 'L' }))));
    const local = 'https://terminology.hl7.org/CodeSystem-v2-0396.html#v2-0396-99zzzorL';
    t.ok(sameCode(said(local, 'L'), code(coding({}))));
    t.notOk(sameCode(said(local, 'LN'), code(coding({ name: 'LN' }))));
    t.notOk(sameCode({ is: 'coding', code: 'B', system: '', name: '' }, code(coding({}))), 'another code');
  },
);

t.test('equivalence - an identifier is its value and its authority', async (t) => {
  const ours: Identifier = {
    system: 'urn:hilum:lab:GHH OE',
    value: '7',
    type: 'MR',
    assigner: 'GHH OE',
    facility: '',
    start: '',
    end: '',
    universalId: '1.2',
    universalIdType: 'HCD',
    checkDigit: '',
    checkDigitScheme: '',
    jurisdiction: undefined,
    agency: undefined,
  };
  const said = (over: { value?: string; system?: string; names?: string[] }) =>
    ({ is: 'identifier', value: '7', type: '', system: '', names: [], ...over }) as const;
  const made = 'http://example.com/v2-to-fhir-converter/Identifier/';
  t.ok(sameIdentifier(said({ system: `${made}GHH-OE` }), ours));
  t.ok(sameIdentifier(said({ system: `${made}HCD`, names: ['GHH OE', '1.2'] }), ours));
  t.notOk(sameIdentifier(said({ system: `${made}HCD`, names: ['GHH OE', '1.3'] }), ours));
  t.notOk(sameIdentifier(said({ system: `${made}GHH` }), ours));
  t.notOk(sameIdentifier(said({ value: '8' }), ours));
  const ssn = 'http://hl7.org/fhir/sid/us-ssn';
  t.notOk(sameIdentifier(said({ system: ssn }), ours));
  t.ok(sameIdentifier(said({ system: ssn }), { ...ours, type: 'SS' }));
});

t.test('equivalence - a name has every part, and a status its one word', async (t) => {
  const name: HumanName = {
    use: '',
    family: 'BERG',
    given: ['ANNA', 'B'],
    prefix: ['DR'],
    suffix: ['JR'],
    degree: 'MD',
    text: '',
    calledBy: 'ANNI',
    start: '',
    end: '',
    representation: '',
    ownPrefix: '',
    ownFamily: '',
    partnerPrefix: '',
    partnerFamily: '',
    context: undefined,
    assemblyOrder: '',
  };
  const said = (given: string[], more: string[] = []) =>
    ({ is: 'name', family: 'BERG', given, more }) as const;
  t.ok(sameName(said(['ANNA', 'B'], ['JR', 'MD', 'DR']), name));
  t.ok(sameName(said(['ANNA', 'B', 'ANNI']), name));
  t.notOk(sameName(said(['ANNA']), name));
  t.notOk(sameName(said(['B', 'ANNA']), name));
  t.notOk(sameName(said(['ANNA', 'B'], ['SR']), name));

  const unknown = { value: 'unknown', letter: '' };
  t.ok(sameResultStatus(unknown, 'O', 'registered'));
  t.notOk(sameResultStatus(unknown, 'F', 'final'), 'FHIR has a word for F');
  t.notOk(sameResultStatus(unknown, 'O', 'final'));
  t.notOk(sameResultStatus({ value: 'unknown', letter: 'I' }, 'O', 'registered'));
  t.notOk(sameResultStatus({ value: 'final', letter: '' }, 'P', 'preliminary'));
  t.ok(sameReportStatus('unknown', '', 'preliminary', ['preliminary']));
  t.notOk(sameReportStatus('unknown', '', 'final', ['preliminary']));
  t.notOk(sameReportStatus('unknown', 'F', 'final', ['final']));
  t.notOk(sameAppointmentStatus('cancelled', 'rescheduled'));
  const unit = { is: 'unit', text: 'mmol/l', code: 'mmol/L', system: '' } as const;
  t.notOk(sameUnit(unit, code(coding({ code: 'mmol/l' }))), 'UCUM is case sensitive');
});
