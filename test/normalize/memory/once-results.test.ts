/** The same result by two feeds is one effect, only where all that counts is equal; otherwise both stay, linked. */
import t from 'tap';
import { needsOf } from '../../../gateway/normalize/memory/rules.ts';
import { Once } from '../../../proto/gen/hilum/v1/event.ts';
import { er7 } from '../context.ts';
import { OnceSite } from './once-site.ts';
import { about, epoch } from './site.ts';

const sources = `
sources:
  lab: { listener: a }
  copy: { listener: b }
  third: { listener: c }
  other: { listener: d }
destinations:
  ehr: { type: mllp, address: "127.0.0.1:1" }
  archive: { type: mllp, address: "127.0.0.1:2" }
`;
const twice = `${sources}
once: { results: { twice: { feeds: [lab, copy, third], authoritative: lab } } }
`;

interface Report {
  id?: string;
  message?: string;
  patient?: string;
  filler?: string;
  service?: string;
  observed?: string;
  issued?: string;
  status?: string;
  priority?: string;
  spm?: string;
  obx?: string[];
  notes?: string[];
}

const potassium = 'OBX|1|NM|2823-3^Potassium^LN||7.40|mmol/L|3.5-5.1|H|||F';

function report(of: Report = {}): Buffer {
  const { spm = 'SPM|1|^S1&LAB||SER^Serum^HL70487' } = of;
  const field = (name: keyof Report, usual: string) => (of[name] as string | undefined) ?? usual;
  return er7(
    `MSH|^~\\&|LAB|HOSP|||${field('message', '20261123100100+0100')}||ORU^R01^ORU_R01|${field('id', 'M1')}|P|2.5.1`,
    `PID|1||${field('patient', '4711^^^HOSP^MR')}`,
    `OBR|1||${field('filler', 'F1^LAB')}|${field('service', 'K^Potassium^L')}|${field('priority', '')}||${field('observed', '20261123080000+0100')}|||||||||||||||${field('issued', '20261123100000+0100')}||LAB|${field('status', 'F')}`,
    ...(of.obx ?? [potassium]),
    ...(of.notes ?? []).map((text, at) => `NTE|${at + 1}||${text}`),
    ...(spm === '' ? [] : [spm]),
  );
}

const record = (sequence: number) => ({ epoch, sequence: BigInt(sequence) });

function roles(...marks: (Once | undefined)[]): (string | undefined)[] {
  return marks.map((one) => one?.role);
}

function json(mark: Once | undefined): unknown {
  return mark && Once.toJSON(mark);
}

t.test(
  'once - without a config, and for a source that it does not name, nothing is said or read',
  async (t) => {
    const off = new OnceSite(sources);
    for (const source of ['lab', 'copy']) t.equal(off.one(source, report()).once, undefined);
    const on = new OnceSite(twice);
    on.one('lab', report());
    const other = on.one('other', report());
    t.equal(other.once, undefined);
    const kinds = needsOf([other], about(9, 'other')).map(({ kind }) => kind.number);
    t.notOk(kinds.includes(2));
  },
);

t.test('once - the same by a second feed is a repeat that names the first', async (t) => {
  const site = new OnceSite(twice);
  t.equal(site.one('lab', report()).once, undefined);
  // Another MSH-10 and MSH-7, another offset for the same moments, other delimiters of nobody's interest.
  const again = site.one(
    'copy',
    report({
      id: 'X9',
      message: '20261123100500+0100',
      observed: '20261123070000+0000',
      issued: '20261123090000+0000',
    }),
  );
  t.match(again.once, {
    rule: 'results.twice',
    role: 'repeat',
    links: [{ record: record(1), index: 1, source: 'lab', differs: [] }],
    repeats: 0,
  });
  t.ok(again.provenance?.rules.includes('memory/once'));
  t.match(site.one('third', report()).once, { role: 'repeat', links: [{ record: record(1) }] });
});

t.test('once - a feed is not compared with itself, whatever came between', async (t) => {
  const site = new OnceSite(twice);
  t.same(
    roles(
      site.one('lab', report()).once,
      site.one('lab', report({ id: 'M2' })).once,
      site.one('copy', report()).once,
      site.one('lab', report({ id: 'M3' })).once,
      site.one('copy', report({ id: 'M4' })).once,
    ),
    [undefined, undefined, 'repeat', undefined, 'repeat'],
  );
});

t.test('once - the authoritative feed that comes second stands in place of the first', async (t) => {
  const site = new OnceSite(twice);
  t.equal(site.one('copy', report()).once, undefined);
  t.match(site.one('third', report()).once, { role: 'repeat', links: [{ record: record(1) }] });
  t.match(site.one('lab', report()).once, {
    role: 'effective',
    links: [{ record: record(1), source: 'copy', differs: [] }],
  });
  t.match(site.one('copy', report({ id: 'again' })).once, {
    role: 'repeat',
    links: [{ record: record(3), source: 'lab' }],
  });
  t.equal(site.one('lab', report({ id: 'again' })).once, undefined);
});

t.test('once - who is authoritative may depend on what the result is; nobody: who came first', async (t) => {
  const site = new OnceSite(`${sources}
once:
  results:
    twice:
      feeds: [lab, copy, third]
      authoritative:
        - { feed: third, when: 'event.order.service.codings.exists(c, c.code == "MB")' }
        - { feed: lab, when: 'event.order.service.codings.exists(c, c.code == "K")' }
`);
  const of = (source: string, filler: string, service: string) =>
    site.one(source, report({ filler, service })).once?.role;
  t.same([of('copy', 'F1', 'K^^L'), of('lab', 'F1', 'K^^L')], [undefined, 'effective']);
  t.same(
    [of('copy', 'F2', 'MB^^L'), of('lab', 'F2', 'MB^^L'), of('third', 'F2', 'MB^^L')],
    [undefined, 'repeat', 'effective'],
  );
  t.same([of('copy', 'F3', 'X^^L'), of('lab', 'F3', 'X^^L')], [undefined, 'repeat']);
});

t.test('once - where anything that counts differs both stay, and the later says what', async (t) => {
  const cases: [string[], Report][] = [
    [['filler'], { filler: 'F1^LIS2' }],
    [['specimen'], { spm: '' }],
    [['specimen'], { spm: 'SPM|1|^S2&LAB||SER^Serum^HL70487' }],
    [['specimen'], { spm: 'SPM|1|^S1&LAB||UR^Urine^HL70487' }],
    [['code'], { service: 'NA^Sodium^L' }],
    [['code'], { obx: [potassium.replace('2823-3', '2951-2')] }],
    [['code'], { obx: [potassium.replace('||7.40', '|1|7.40')] }],
    [['time'], { observed: '20261123080001+0100' }],
    [['time'], { observed: '202611230800+0100' }],
    [['time'], { issued: '20261123100100+0100' }],
    [['time'], { issued: '' }],
    [['time'], { obx: [`${potassium}|||20261123080000+0100`] }],
    [['status'], { status: 'C' }],
    [['status'], { obx: [potassium.replace('|||F', '|||P')] }],
    [['code', 'time', 'status', 'value', 'interpretation'], { obx: [potassium, potassium] }],
    [['patient'], { patient: '4712^^^HOSP^MR' }],
  ];
  for (const [differs, of] of cases) {
    for (const sender of ['copy', 'lab']) {
      const site = new OnceSite(twice);
      site.one(sender === 'copy' ? 'lab' : 'copy', report());
      const event = site.one(sender, report(of));
      const what = `${sender} ${JSON.stringify(of)}`;
      t.equal(event.once?.role, 'linked', what);
      t.same(event.once?.links[0]?.differs, differs, what);
      t.match(event.once?.links[0]?.record, record(1), what);
      t.notOk(event.superseded, what);
    }
  }
});

t.test('once - another value of the same result is a conflict: both stay, and it is flagged', async (t) => {
  const cases: [string[], Report][] = [
    [['value'], { obx: [potassium.replace('7.40', '7.4')] }],
    [['value'], { obx: [potassium.replace('mmol/L', 'mg/dL')] }],
    [['interpretation'], { obx: [potassium.replace('|H|', '||')] }],
    [['interpretation'], { obx: [potassium.replace('3.5-5.1', '3.5-5.0')] }],
    [['notes'], { notes: ['hemolytic'] }],
    // Also more urgent by itself, so it would not be a repeat anyway.
    [['interpretation', 'class'], { obx: [potassium.replace('|H|', '|HH|')] }],
  ];
  for (const [differs, of] of cases) {
    const site = new OnceSite(twice);
    site.one('lab', report());
    const event = site.one('copy', report(of));
    t.match(event.once, { role: 'conflict', links: [{ differs, source: 'lab' }] }, JSON.stringify(of));
    t.ok(event.provenance?.remarks.some((one) => /another feed/.test(one)));
  }
});

t.test(
  'once - codes and authorities of a source are compared without it, flags without their text',
  async (t) => {
    const site = new OnceSite(twice);
    const of = { filler: 'F1', spm: 'SPM|1|^S1', service: 'K^Potassium^99LAB' };
    site.one('lab', report(of));
    const flagged = potassium.replace('|H|', '|H^High^HL70078|');
    t.equal(site.one('copy', report({ ...of, obx: [flagged] })).once?.role, 'repeat');
  },
);

t.test('once - a LOINC code is the same whether sent first, second, or by a table', async (t) => {
  const site = new OnceSite(`${twice}
codes: { k: { from: 99LAB, to: http://loinc.org, map: { K: "2823-3" } } }
`);
  const obx = (code: string) => [potassium.replace('2823-3^Potassium^LN', code)];
  site.one('lab', report({ obx: obx('2823-3^Potassium^LN') }));
  for (const code of ['K^Potassium^99LAB^2823-3^Potassium^LN', 'K^Potassium^99LAB'])
    t.equal(site.one('copy', report({ obx: obx(code) })).once?.role, 'repeat', code);
});

t.test('once - without a filler number nothing can be the same', async (t) => {
  const site = new OnceSite(twice);
  site.one('lab', report({ filler: '' }));
  t.equal(site.one('copy', report({ filler: '' })).once, undefined);
});

t.test('once - of what a result was before, the one that is equal counts', async (t) => {
  const site = new OnceSite(twice);
  const preliminary = {
    status: 'P',
    obx: [potassium.replace('|||F', '|||P')],
    issued: '20261123090000+0100',
  };
  t.same(
    roles(
      site.one('lab', report(preliminary)).once,
      site.one('lab', report()).once,
      site.one('copy', report()).once,
      site.one('copy', report(preliminary)).once,
    ),
    [undefined, undefined, 'repeat', 'repeat'],
  );
  t.match(site.one('third', report(preliminary)).once?.links, [{ record: record(1) }]);
});

t.test('once - a repeat never puts off what is urgent', async (t) => {
  const site = new OnceSite(twice);
  site.one('lab', report());
  const stat = site.one('copy', report({ priority: 'S' }));
  t.match(stat.once, { role: 'linked', links: [{ differs: ['class'] }] }, 'more urgent: it passes');
  t.match(
    site.one('third', report({ priority: 'S' })).once,
    { role: 'repeat', links: [{ record: record(2) }] },
    'the urgent one has passed',
  );
  const turned = new OnceSite(twice);
  turned.one('lab', report({ priority: 'S' }));
  t.equal(turned.one('copy', report()).once?.role, 'repeat', 'less urgent');
});

t.test('once - an event that is more urgent by its record alone is a repeat all the same', async (t) => {
  const site = new OnceSite(twice);
  site.one('lab', report());
  const critical = report({ filler: 'F2', obx: [potassium.replace('|H|', '|HH|')] }).toString();
  const second = critical.slice(critical.indexOf('OBR|')).replace('OBR|1', 'OBR|2');
  const [same, fresh] = site.take('copy', Buffer.from(report().toString() + second));
  t.equal(same?.once?.role, 'repeat');
  t.equal(fresh?.once, undefined);
});

t.test('once - a local destination gets the same once, from whichever feed led there first', async (t) => {
  const routes = (to: string) => `${twice}
routes:
  lab-only: { when: 'event.kind == "observation"', sources: [lab], to: ehr }
  all: { when: 'event.kind == "observation"', to: ${to} }
`;
  const site = new OnceSite(routes('archive'));
  t.equal(site.one('copy', report()).once, undefined);
  t.same(site.one('lab', report()).once?.heldBack, ['archive'], 'nobody had sent it to the EHR');
  t.same(site.one('third', report()).once?.heldBack, ['archive']);
  const both = new OnceSite(routes('[ehr, archive]'));
  both.one('copy', report());
  t.same(both.one('lab', report()).once?.heldBack, ['ehr', 'archive']);
  const turned = new OnceSite(`${twice}
routes: { copy-only: { sources: [copy, third], to: ehr } }
`);
  turned.one('lab', report());
  const repeat = turned.one('copy', report()).once;
  t.match(repeat, { role: 'repeat', heldBack: [] }, 'the first went nowhere, so the repeat goes');
  t.same(turned.one('third', report()).once?.heldBack, ['ehr'], 'and the next does not');
});

t.test(
  'once - a record that is normalized once more gets the same answer, whatever came after it',
  async (t) => {
    const site = new OnceSite(twice);
    const different = report({ obx: [potassium.replace('7.40', '7.41')] });
    const sent: [string, Buffer][] = [
      ['copy', report()],
      ['third', report()],
      ['lab', report()],
      ['copy', different],
      ['lab', different],
      ['third', report()],
    ];
    const first = sent.map(([source, raw]) => site.one(source, raw).once);
    t.same(roles(...first), [undefined, 'repeat', 'effective', 'conflict', 'effective', 'repeat']);
    const left = new Map(site.rows.rows);
    for (const at of [5, 0, 3, 1, 4, 2]) {
      const [source, raw] = sent[at] as [string, Buffer];
      t.same(json(site.one(source, raw, at, at + 1).once), json(first[at]), `record ${at + 1}`);
    }
    t.same(site.rows.rows, left);
  },
);

t.test('once - results of one message under one filler number keep apart', async (t) => {
  const site = new OnceSite(twice);
  const parts = ['K', 'NA', 'CL'].map((code, at) => {
    const text = report({ service: `${code}^^L`, spm: '' }).toString();
    return at === 0 ? text : text.slice(text.indexOf('OBR|')).replace('OBR|1', `OBR|${at + 1}`);
  });
  const message = Buffer.from(parts.join(''));
  t.same(roles(...site.take('lab', message).map(({ once }) => once)), [undefined, undefined, undefined]);
  const again = site.take('copy', message).map(({ once }) => once);
  t.same(roles(...again), ['repeat', 'repeat', 'repeat']);
  t.same(
    again.map((one) => one?.links[0]?.index),
    [1, 2, 3],
  );
});
