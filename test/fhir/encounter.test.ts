/** Encounter: what the visit's own words become. */
import t from 'tap';
import { only, resources } from '../normalize/told.ts';

const classOf = (sent: string) =>
  only('Encounter', resources('ADT^A08', `PV1|1|${sent}|5N^501^A`)).map((one) => one.class);

t.test("encounter - a class that is not one of HL7 table 0004 is the site's own", async (t) => {
  const own = 'urn:hilum:lab';
  for (const code of ['INPATIENT', 'ER', 'CLI', 'SDC', 'INO', 'IP', 'Day Surgery', 'IMP'])
    t.same(classOf(code), [{ system: own, code }], code);
  const hl7 = 'http://terminology.hl7.org/CodeSystem/v2-0004';
  for (const code of ['R', 'B', 'C', 'N', 'U']) t.same(classOf(code), [{ system: hl7, code }], code);
  t.same(classOf('r'), [{ system: hl7, code: 'R' }]);
  t.same(classOf('i'), [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'IMP' }]);
});
