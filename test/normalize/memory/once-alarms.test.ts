/** The same alarm again within its window is a repeat; first, escalated and re-raised ones always pass. */
import t from 'tap';
import { type ClinicalEvent, Once } from '../../../proto/gen/hilum/v1/event.ts';
import { below, seededRandom, seedOfThisRun } from '../../kit/random.ts';
import { er7 } from '../context.ts';
import { OnceSite } from './once-site.ts';
import { epoch } from './site.ts';

const sources = `
sources:
  icu: { listener: a, topics: [devices/icu/#] }
  ward: { listener: a, topics: [devices/#] }
  monitors: { listener: b }
`;
const windowed = `${sources}
once: { alarms: { quiet: { window: 30s } } }
`;

interface Said {
  device?: string;
  id?: string;
  code?: string;
  priority?: string;
  phase?: string;
  state?: string;
  text?: string;
  patient?: string;
  /** Seconds after 08:00. */
  at?: number | undefined;
}

function object({ device = 'mon-1', at, patient, ...alarm }: Said): object {
  const time = at === undefined ? {} : { time: new Date(Date.UTC(2026, 10, 23, 8, 0, at)).toISOString() };
  const said = { code: 'spo2-low', priority: 'medium', phase: 'start', ...alarm };
  return { device, ...(patient === undefined ? {} : { patient }), ...time, alarm: said };
}

const json = (of: Said) => Buffer.from(JSON.stringify(object(of)));

class Ward extends OnceSite {
  /** An alarm of that moment, captured then. */
  said(at: number, of: Said = {}, source = 'ward'): Once | undefined {
    return this.one(source, json({ at, ...of }), at).once;
  }
}

const role = (mark: Once | undefined) => mark?.role ?? 'passed';

t.test('once alarms - without a window nothing is said', async (t) => {
  const ward = new Ward(sources);
  t.same([ward.said(0), ward.said(1), ward.said(2)], [undefined, undefined, undefined]);
});

t.test(
  'once alarms - the first passes, the same again is a repeat, and after the window one passes',
  async (t) => {
    const ward = new Ward(windowed);
    t.equal(ward.said(0), undefined);
    for (const at of [0, 10, 29])
      t.match(ward.said(at), {
        rule: 'alarms.quiet',
        role: 'repeat',
        links: [{ record: { epoch, sequence: 1n }, source: 'ward', differs: [] }],
      });
    const heard = ward.said(30);
    t.match(heard, {
      role: 'linked',
      repeats: 3,
      links: [{ record: { sequence: 1n }, differs: ['window'] }],
    });
    t.match(
      ward.said(59),
      { role: 'repeat', links: [{ record: { sequence: 5n } }] },
      'from the one that passed',
    );
    t.match(ward.said(60), { role: 'linked', repeats: 1 });
  },
);

t.test('once alarms - every change passes', async (t) => {
  const changes: [string, Said][] = [
    ['priority', { priority: 'low' }],
    ['phase', { phase: 'end' }],
    ['phase', { phase: 'continue' }],
    ['state', { state: 'latched' }],
    ['text', { text: 'other words' }],
    ['patient', { patient: '4711' }],
  ];
  for (const [differs, change] of changes) {
    const ward = new Ward(windowed);
    ward.said(0);
    t.equal(role(ward.said(1)), 'repeat');
    t.match(ward.said(2, change), { role: 'linked', repeats: 1, links: [{ differs: [differs] }] });
    t.equal(role(ward.said(3, change)), 'repeat', `${differs}, again`);
    t.match(ward.said(4), { role: 'linked', links: [{ differs: [differs] }] }, `${differs}, back`);
  }
});

t.test('once alarms - an escalated one passes, at each step', async (t) => {
  const ward = new Ward(windowed);
  const steps = ['none', 'low', 'medium', 'high'];
  t.same(
    steps.map((priority, at) => ward.said(at, { priority })?.role),
    [undefined, undefined, undefined, undefined],
  );
  t.equal(ward.said(5, { priority: 'medium' }), undefined, 'and back');
  t.equal(role(ward.said(6, { priority: 'medium' })), 'repeat');
});

t.test('once alarms - one that is raised again passes, however soon', async (t) => {
  const ward = new Ward(windowed);
  for (let at = 0; at < 6; at += 2) {
    t.equal(ward.said(at), undefined);
    t.equal(ward.said(at + 1, { phase: 'end' }), undefined);
  }
  t.equal(role(ward.said(6, { phase: 'end' })), 'repeat', 'an end that is said twice');
  t.equal(role(ward.said(7)), 'linked');
});

t.test(
  'once alarms - high priority, and one that says none, have no window unless it names them',
  async (t) => {
    const ward = new Ward(windowed);
    for (const priority of ['high', 'PURPLE', ''])
      for (const at of [0, 1, 2]) t.equal(ward.said(at, { priority, device: `mon-${priority}` }), undefined);
    const explicit = new Ward(`${sources}
once: { alarms: { loud: { priorities: [high], window: 5s }, quiet: { window: 1m } } }
`);
    t.same(
      [0, 4, 5].map((at) => role(explicit.said(at, { priority: 'high' }))),
      ['passed', 'repeat', 'linked'],
    );
    t.same(
      [0, 50, 60].map((at) => role(explicit.said(at, { device: 'b' }))),
      ['passed', 'repeat', 'linked'],
    );
  },
);

t.test('once alarms - what has no duration is a repeat only of its own moment', async (t) => {
  const ward = new Ward(windowed);
  const instant = { phase: 'tpoint' };
  t.same(
    [0, 0, 5, 5].map((at) => role(ward.said(at, instant))),
    ['passed', 'repeat', 'linked', 'repeat'],
  );
  const timeless = () => ward.one('ward', json({ ...instant, device: 'b' }), 6).once;
  t.same([timeless(), timeless()], [undefined, undefined]);
});

t.test('once alarms - another device, code, or number of the device is another alarm', async (t) => {
  const ward = new Ward(windowed);
  ward.said(0);
  for (const other of [{ device: 'mon-2' }, { code: 'hr-high' }, { id: 'A1' }, { id: 'A2' }])
    t.equal(ward.said(1, other), undefined, JSON.stringify(other));
  t.equal(role(ward.said(2, { id: 'A1' })), 'repeat');
});

t.test('once alarms - only from the sources and with the codes that a window names', async (t) => {
  const ward = new Ward(`${sources}
once: { alarms: { icu: { sources: [icu], codes: [spo2-low, leads-off], window: 30s } } }
`);
  t.same(
    [0, 1].map((at) => role(ward.said(at))),
    ['passed', 'passed'],
  );
  t.same(
    [0, 1].map((at) => role(ward.said(at, {}, 'icu'))),
    ['passed', 'repeat'],
  );
  t.same(
    [2, 3].map((at) => role(ward.said(at, { code: 'hr-high' }, 'icu'))),
    ['passed', 'passed'],
  );
});

t.test('once alarms - neither a clock that stands still nor a backlog at once hides an alarm', async (t) => {
  const still = new Ward(windowed);
  t.same(
    [0, 20, 40].map((capturedS) => role(still.one('ward', json({ at: 0 }), capturedS).once)),
    ['passed', 'repeat', 'linked'],
  );
  const backlog = new Ward(windowed);
  t.same(
    [0, 20, 40].map((at) => role(backlog.one('ward', json({ at }), 1).once)),
    ['passed', 'repeat', 'linked'],
  );
  const timeless = new Ward(windowed);
  t.same(
    [0, 29, 30].map((capturedS) => role(timeless.one('ward', json({}), capturedS).once)),
    ['passed', 'repeat', 'linked'],
    'where it says no time, the gateway’s clock',
  );
});

t.test('once alarms - what comes late passes', async (t) => {
  const ward = new Ward(windowed);
  ward.said(10);
  t.equal(ward.one('ward', json({ at: 5 }), 11).once, undefined);
});

t.test('once alarms - one that a class rule makes more urgent is no repeat', async (t) => {
  const ward = new Ward(`${windowed}
classes: [{ name: night, when: 'event.patient.identifiers.size() > 0 || event.encounter.identifiers.size() > 0', class: stat }]
`);
  const visit = Buffer.from(JSON.stringify({ ...object({ at: 1 }), encounter: 'V1' }));
  ward.said(0);
  t.equal(ward.one('ward', visit, 1).once, undefined);
  t.equal(role(ward.one('ward', visit, 2).once), 'repeat');
});

t.test('once alarms - of two in one message the second is no repeat of the first', async (t) => {
  const ward = new Ward(windowed);
  const two = Buffer.from(JSON.stringify([object({ at: 0 }), object({ at: 0 })]));
  t.same(
    ward.take('ward', two, 0).map(({ once }) => once),
    [undefined, undefined],
  );
});

const acm = (
  phase: string,
  { priority = 'PM', parent = '0', seconds = '00', path = '1.1.1.1.1', trigger = 'R40' } = {},
) =>
  er7(
    `MSH|^~\\&|MON|HOSP|||20261123081500+0100||ORU^${trigger}^ORU_${trigger}|M${phase}${seconds}|P|2.6`,
    'PID|1||4711^^^HOSP^MR',
    `OBR|1||A-1^MON|196616^MDC_EVT_ALARM^MDC|||202611230815${seconds}+0100||||||||||||||||||||||^${parent}&MON`,
    'OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||MON-12^ACME',
    `OBX|2|ST|196674^MDC_EVT_LO_VAL_LT_LIM^MDC|${path}|SpO2 LOW|||L~${priority}~SP|||R|||202611230815${seconds}+0100`,
    `OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.3|${phase}||||||R`,
    'OBX|4|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.1.1.1.4|active||||||R',
  );

t.test('once alarms - PCD-04: repeats of a phase within the window, by channel', async (t) => {
  const site = new OnceSite(windowed);
  const of = (at: number, ...said: Parameters<typeof acm>) =>
    role(site.one('monitors', acm(...said), at).once);
  t.same(
    [
      of(0, 'start'),
      of(1, 'start', { seconds: '01' }),
      of(2, 'continue', { seconds: '02' }),
      of(3, 'continue', { seconds: '03' }),
      of(4, 'continue', { seconds: '04', path: '1.1.2.1.1' }),
      of(5, 'escalate', { seconds: '05', priority: 'PH' }),
      of(6, 'escalate', { seconds: '06', priority: 'PH' }),
      of(7, 'end', { seconds: '07' }),
      of(8, 'start', { seconds: '08' }),
    ],
    ['passed', 'repeat', 'linked', 'repeat', 'passed', 'linked', 'passed', 'passed', 'passed'],
  );
});

t.test('once alarms - PCD-05: what became of a notification is no repeat, and changes nothing', async (t) => {
  const site = new OnceSite(windowed);
  const of = (at: number, trigger: string) =>
    role(site.one('monitors', acm('start', { trigger, seconds: `0${at}` }), at).once);
  t.same(
    [of(0, 'R40'), of(1, 'R41'), of(2, 'R41'), of(3, 'R40')],
    ['passed', 'passed', 'passed', 'repeat'],
    'each step of it is news, and the alarm is still the one that passed',
  );
});

t.test('once alarms - a local destination gets a repeat only where nothing went before', async (t) => {
  const ward = new Ward(`${windowed}
destinations:
  pagers: { type: mllp, address: "127.0.0.1:1" }
routes:
  paged: { when: 'event.kind == "device-alarm"', to: pagers }
`);
  t.equal(ward.said(0), undefined);
  t.same(ward.said(1)?.heldBack, ['pagers']);
  t.same(ward.said(40)?.heldBack, [], 'one that passes goes');
});

const seed = seedOfThisRun();

t.test(
  `once alarms - random lives of an alarm: nothing that changed is a repeat (seed ${seed})`,
  async (t) => {
    const random = seededRandom(seed);
    const pick = <One>(list: readonly One[]) => list[below(random, list.length)] as One;
    for (let life = 0; life < 40; life += 1) {
      const ward = new Ward(windowed);
      const sent: { at: number; raw: Buffer; mark: unknown; event: ClinicalEvent }[] = [];
      let passed: { at: number } | undefined;
      let last = '';
      for (let at = 0; at < 120; at += 1 + below(random, 20)) {
        const said = {
          priority: pick(['high', 'medium', 'medium', 'low']),
          phase: pick(['start', 'continue', 'end']),
        };
        const raw = json({ at, ...said });
        const event = ward.one('ward', raw, at);
        const key = JSON.stringify(said);
        const repeat =
          passed !== undefined && key === last && said.priority !== 'high' && at - passed.at < 30;
        if ((role(event.once) === 'repeat') !== repeat)
          t.fail(`${JSON.stringify(said)} at ${at} of life ${life}`);
        if (!repeat) passed = { at };
        last = key;
        sent.push({ at, raw, mark: event.once && Once.toJSON(event.once), event });
      }
      // The last ones come once more, as after a crash.
      const left = new Map(ward.rows.rows);
      for (const [n, { at, raw, mark }] of sent.entries()) {
        if (n < sent.length - 16) continue;
        const again = ward.one('ward', raw, at, n + 1).once;
        if (JSON.stringify(again && Once.toJSON(again)) !== JSON.stringify(mark))
          t.fail(`record ${n + 1} of life ${life}`);
      }
      if (JSON.stringify([...left]) !== JSON.stringify([...ward.rows.rows]))
        t.fail(`the row of life ${life} changed`);
    }
    t.pass('40 lives');
  },
);
