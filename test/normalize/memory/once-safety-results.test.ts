/** The same result by two feeds: what must never be left without an effect, because nothing else says it. */
import t from 'tap';
import type { ClinicalEvent } from '../../../proto/gen/hilum/v1/event.ts';
import { er7 } from '../context.ts';
import { OnceSite } from './once-site.ts';
import { epoch } from './site.ts';

const sources = `
sources:
  lab: { listener: a }
  copy: { listener: b }
  third: { listener: c }
destinations:
  ehr: { type: mllp, address: "127.0.0.1:1" }
  pager: { type: mllp, address: "127.0.0.1:2" }
`;
const feeds = (authoritative: string) =>
  `${sources}
once: { results: { twice: { feeds: [lab, copy, third], authoritative: ${authoritative} } } }
`;
const byLab = feeds('lab');
const byNobody = feeds('[{ feed: lab, when: "false" }]');

interface Report {
  status?: string;
  value?: string;
  /** HHMM of MSH-7. */
  message?: string;
  issued?: string;
  patient?: string;
  filler?: string;
  priority?: string;
  parent?: string;
  flag?: string;
}

/** Without OBR-22, as most send it, so that MSH-7 says what is newer. */
function report(of: Report = {}): Buffer {
  const { status = 'F', value = '4.0', message = '1000', issued = '', patient = '4711^^^HOSP^MR' } = of;
  const { filler = 'F1', priority = '', parent = '', flag = '' } = of;
  return er7(
    `MSH|^~\\&|LAB|HOSP|||20261123${message}00+0100||ORU^R01^ORU_R01|M${message}|P|2.5.1`,
    `PID|1||${patient}`,
    `OBR|1||${filler}|K^Potassium^L|${priority}||20261123080000+0100|||||||||||||||${issued}||LAB|${status}|${parent}`,
    `OBX|1|NM|K^Potassium^L||${value}|mmol/L||${flag}|||${status}`,
  );
}

const record = (sequence: number) => ({ epoch, sequence: BigInt(sequence) });

class Lab extends OnceSite {
  said(source: string, of: Report = {}): ClinicalEvent {
    return this.one(source, report(of));
  }
}

const role = ({ once }: ClinicalEvent) => once?.role ?? 'passed';

/** Records that the event says it replaces. */
function replaced({ supersessions }: ClinicalEvent): bigint[] {
  const newer = supersessions.filter(({ thisIsSuperseded }) => !thisIsSuperseded);
  return [...new Set(newer.map((one) => one.record?.sequence ?? 0n))].sort();
}

t.test('once results - a feed that takes back what it alone said is heard', async (t) => {
  const lab = new Lab(byLab);
  lab.said('lab', { message: '0900' });
  t.equal(role(lab.said('copy', { message: '0901', value: '4.9' })), 'conflict');
  const back = lab.said('copy', { message: '0902' });
  t.match(back.once, { role: 'linked', links: [{ record: record(1), differs: ['supersedes'] }] });
  t.same(replaced(back), [2n]);
  t.equal(role(lab.said('third', { message: '0903' })), 'repeat', 'who took nothing back repeats');
});

t.test('once results - a final whose own preliminary had the effect is heard', async (t) => {
  for (const config of [byLab, byNobody]) {
    const lab = new Lab(config);
    t.equal(role(lab.said('copy', { status: 'P', message: '0900' })), 'passed');
    t.equal(role(lab.said('lab', { message: '0910' })), 'linked', 'a feed without preliminaries');
    const final = lab.said('copy', { message: '0911' });
    t.match(final.once, { role: 'linked', links: [{ record: record(2), differs: ['supersedes'] }] });
    t.same(replaced(final), [1n]);
  }
});

t.test('once results - from final back to preliminary is heard, by whichever feed', async (t) => {
  const lab = new Lab(byLab);
  const p = { status: 'P' };
  lab.said('lab', { ...p, message: '0900' });
  t.equal(role(lab.said('copy', { ...p, message: '0901' })), 'repeat');
  lab.said('lab', { message: '0910' });
  t.equal(role(lab.said('copy', { message: '0911' })), 'repeat');
  const back = lab.said('copy', { ...p, message: '0920' });
  t.match(back.once, { role: 'linked', links: [{ record: record(3), differs: ['status'] }] });
  t.ok(back.supersessions.some(({ statusFlag }) => statusFlag === 'unusual-transition'));
  t.equal(
    role(lab.said('third', { ...p, message: '0902' })),
    'repeat',
    'what only comes late stays a repeat',
  );
});

t.test('once results - what replaces a repeat replaces the one that had its effect', async (t) => {
  const lab = new Lab(byNobody);
  const p = { status: 'P' };
  t.equal(role(lab.said('copy', { ...p, message: '0900' })), 'passed');
  t.equal(role(lab.said('lab', { ...p, message: '0901' })), 'repeat');
  const final = lab.said('lab', { message: '0910' });
  t.same(replaced(final), [1n, 2n]);
  t.equal(role(lab.said('copy', { message: '0911' })), 'repeat', 'so the other final says nothing new');
  const corrected = lab.said('copy', { status: 'C', value: '4.1', message: '0920' });
  t.equal(role(corrected), 'linked');
  t.same(replaced(corrected), [1n, 3n, 4n], 'and what the feed itself had said before');
  t.equal(role(lab.said('lab', { status: 'C', value: '4.1', message: '0921' })), 'repeat');
});

t.test('once results - what is authoritative is not replaced by another feed', async (t) => {
  const lab = new Lab(byLab);
  lab.said('lab', { status: 'P', message: '0900' });
  lab.said('copy', { status: 'P', message: '0901' });
  const final = lab.said('copy', { message: '0910' });
  t.same(replaced(final), [2n]);
  const own = lab.said('lab', { message: '0911' });
  t.equal(role(own), 'effective');
  t.same(replaced(own), [1n, 2n], 'its own preliminary, and what the other final had replaced');
});

t.test('once results - what stands in place of a superseded one is superseded', async (t) => {
  const lab = new Lab(byLab);
  const p = { status: 'P' };
  lab.said('copy', { ...p, message: '0900' });
  lab.said('copy', { message: '0910' });
  const late = lab.said('lab', { ...p, message: '0930' });
  t.equal(role(late), 'effective');
  t.ok(late.superseded);
  t.ok(late.observations.every(({ superseded }) => superseded));
  t.match(
    late.supersessions.find(({ thisIsSuperseded }) => thisIsSuperseded),
    { what: 'order', record: record(2), status: 'final', toStatus: 'preliminary', decidedBy: 'once' },
  );
  const final = lab.said('lab', { message: '0940' });
  t.equal(role(final), 'effective');
  t.notOk(final.superseded);
  t.same(replaced(final), [1n, 3n], 'with what the other had replaced');
  t.equal(role(lab.said('third', { ...p, message: '0950' })), 'repeat');
  t.equal(role(lab.said('third', { message: '0951' })), 'repeat');
});

t.test('once results - where all feeds go round in a circle one word still stands', async (t) => {
  const lab = new Lab(byLab);
  lab.said('copy', { message: '0900' });
  lab.said('copy', { message: '0905', status: 'C' });
  const final = lab.said('lab', { message: '0908' });
  t.match(final, { once: { role: 'effective' }, superseded: true }, 'the other feed has corrected it');
  // By its own feed's times the correction is before the final: in place of the copy's nothing would be current.
  const late = lab.said('lab', { message: '0906', status: 'C' });
  t.match(late.once, { role: 'repeat', links: [{ record: record(2) }] });
  t.same(replaced(late), []);
});

t.test('once results - of several that it stands in place of, one that still stands is enough', async (t) => {
  const lab = new Lab(byLab);
  lab.said('copy', { message: '0900' });
  lab.said('copy', { status: 'P', message: '0910' });
  lab.said('copy', { message: '0920' });
  const late = lab.said('lab', { message: '0930' });
  t.match(late.once, { role: 'effective', links: [{ record: record(3) }, { record: record(1) }] });
  t.notOk(late.superseded);
});

t.test('once results - the authoritative feed that goes back to an old state is heard', async (t) => {
  const lab = new Lab(byLab);
  lab.said('copy', { message: '0900' });
  lab.said('copy', { status: 'C', value: '4.1', message: '0910' });
  lab.said('lab', { status: 'P', message: '0920' });
  const news = lab.said('lab', { message: '0930' });
  t.equal(role(news), 'effective');
  t.notOk(news.superseded);
  const behind = new Lab(byLab);
  behind.said('copy', { status: 'P', message: '0900' });
  behind.said('copy', { message: '0910' });
  behind.said('copy', { status: 'C', value: '4.1', message: '0920' });
  behind.said('lab', { status: 'P', message: '0901' });
  const late = behind.said('lab', { message: '0911' });
  t.equal(role(late), 'effective');
  t.ok(late.superseded, 'one that only follows is behind');
});

t.test('once results - the one that names the patient is never left out for one that does not', async (t) => {
  for (const config of [byLab, byNobody]) {
    const lab = new Lab(config);
    lab.said('copy', { patient: '' });
    const named = lab.said('lab');
    t.match(named.once, { role: 'linked', links: [{ differs: ['patient'] }] });
    t.equal(role(lab.said('third', { patient: '' })), 'repeat', 'what names nobody says less');
  }
  const lab = new Lab(byLab);
  lab.said('copy');
  t.match(lab.said('lab', { patient: '' }).once, { role: 'linked', links: [{ differs: ['patient'] }] });
  const insured = new Lab(byLab);
  insured.said('lab', { patient: '111^^^USA^SS' });
  const other = insured.said('copy', { patient: '222^^^USA^SS' });
  t.match(other.once, { role: 'linked', links: [{ differs: ['patient'] }] }, 'and nothing else is known');
});

t.test('once results - of another parent result is another result', async (t) => {
  const lab = new Lab(byLab);
  lab.said('lab', { parent: 'ORG^1^E. coli' });
  t.match(lab.said('copy', { parent: 'ORG^2^S. aureus' }).once, {
    role: 'linked',
    links: [{ differs: ['code'] }],
  });
  t.equal(role(lab.said('third', { parent: 'ORG^1^E. coli' })), 'repeat');
});

t.test('once results - a route by class holds back only what went there', async (t) => {
  const lab = new Lab(`${byLab}
routes:
  all: { when: 'event.kind == "observation" && event.class != "stat"', to: ehr }
  loud: { when: 'event.class == "stat"', to: pager }
`);
  const critical = { flag: 'HH' };
  lab.said('lab', critical);
  t.same(lab.said('copy', critical).once?.heldBack, ['pager']);
  lab.said('lab', { filler: 'F2' });
  t.same(lab.said('copy', { filler: 'F2' }).once?.heldBack, ['ehr']);
  const two = Buffer.concat([
    report({ filler: 'F3' }),
    report({ filler: 'F4', flag: 'HH' }).subarray(report().indexOf('OBR|')),
  ]);
  lab.take('lab', two);
  t.same(
    lab.take('copy', two).map(({ once }) => once?.heldBack),
    [['pager'], ['pager']],
    'the class of the record',
  );
  t.same(lab.said('third', { filler: 'F3' }).once?.heldBack, [], 'nothing of it had gone to the EHR');
});

t.test('once results - the authoritative word that is more urgent goes where the other went', async (t) => {
  const lab = new Lab(`${byLab}
routes: { all: { when: 'event.kind == "observation"', to: ehr } }
`);
  lab.said('copy');
  const { once } = lab.said('lab', { priority: 'S' });
  t.equal(once?.role, 'effective');
  t.same(once?.heldBack, []);
  t.same(lab.said('third', { priority: 'S' }).once?.heldBack, ['ehr']);
});

t.test('once results - a source that is no feed any more is compared with nobody', async (t) => {
  const before = new Lab(byNobody);
  before.said('third');
  const after = new Lab(byNobody.replace('copy, third]', 'copy]'), before.rows);
  t.equal(after.one('copy', report(), 1, 2).once, undefined);
});

t.test('once results - a record that says something else under another config is judged anew', async (t) => {
  const lab = new Lab(byLab);
  lab.said('lab');
  t.equal(role(lab.said('copy')), 'repeat');
  const after = new Lab(byLab, lab.rows);
  const other = after.one('copy', report({ value: '5.0' }), 1, 2);
  t.equal(role(other), 'conflict');
  t.equal(role(after.one('copy', report({ value: '5.0' }), 1, 2)), 'conflict', 'and the same once more');
});
