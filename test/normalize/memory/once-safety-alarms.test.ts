/** Alarms: what must never count as the same one again, because somebody would not hear of it. */
import t from 'tap';
import type { Once } from '../../../proto/gen/hilum/v1/event.ts';
import { er7 } from '../context.ts';
import { OnceSite } from './once-site.ts';

const sources = `
sources:
  ward: { listener: a, topics: [devices/#] }
  monitors: { listener: b }
destinations:
  pager: { type: mllp, address: "127.0.0.1:1" }
`;
const windowed = `${sources}
once: { alarms: { quiet: { window: 30s } } }
`;

interface Said {
  code?: string | undefined;
  id?: string;
  priority?: string;
  phase?: string;
  state?: string;
  patient?: unknown;
  encounter?: string;
  location?: unknown;
}

function json(at: number | undefined, of: Said): Buffer {
  const { patient, encounter, location, ...alarm } = of;
  const time = at === undefined ? undefined : new Date(Date.UTC(2026, 10, 23, 8, 0, at)).toISOString();
  const said = { code: 'spo2-low', priority: 'medium', phase: 'start', ...alarm };
  return Buffer.from(JSON.stringify({ device: 'mon-1', patient, encounter, location, time, alarm: said }));
}

class Ward extends OnceSite {
  /** An alarm of that moment, captured then or later. */
  said(at: number | undefined, of: Said = {}, capturedS = at, replays = 0): Once | undefined {
    return this.take('ward', json(at, of), capturedS, 0, replays)[0]?.once;
  }
}

const role = (mark: Once | undefined) => mark?.role ?? 'passed';

t.test('once alarms - what a device sends late does not hide the next raise', async (t) => {
  const ward = new Ward(windowed);
  ward.said(0);
  ward.said(10, { phase: 'end' });
  t.equal(role(ward.said(5, {}, 12)), 'passed', 'a start from before the end, out of a device’s buffer');
  t.equal(role(ward.said(20)), 'passed', 'raised again');
  t.equal(role(ward.said(21)), 'repeat', 'and from then on as usual');

  const buffer = new Ward(windowed);
  buffer.said(0);
  buffer.said(10, { phase: 'end' });
  t.same(
    [3, 4, 5].map((at) => role(buffer.said(at, {}, 11 + at / 10))),
    ['passed', 'passed', 'passed'],
    'several',
  );
  t.equal(role(buffer.said(20)), 'passed');
});

t.test('once alarms - what comes late tells how many repeats there were', async (t) => {
  const ward = new Ward(windowed);
  ward.said(10);
  t.equal(role(ward.said(11)), 'repeat');
  t.match(ward.said(5, {}, 12), { role: 'linked', repeats: 1, links: [{ differs: ['time'] }] });
  t.equal(ward.said(13), undefined);
});

t.test('once alarms - a device’s clock that goes back hides nothing, and not for ever', async (t) => {
  const ward = new Ward(windowed);
  ward.said(3000, {}, 0);
  t.equal(role(ward.said(10, { phase: 'end' }, 10)), 'passed');
  t.equal(role(ward.said(20, {}, 20)), 'passed');
  t.equal(role(ward.said(3025, {}, 25)), 'passed', 'and forward again');
  const ahead = new Ward(windowed);
  ahead.said(86_400, {}, 0);
  t.equal(role(ahead.said(3500, {}, 3500)), 'passed');
  t.equal(role(ahead.said(3605, {}, 3605)), 'passed');
  t.equal(role(ahead.said(3610, {}, 3610)), 'repeat', 'an hour later its clock is believed again');
});

t.test('once alarms - the gateway’s clock that goes back makes no window longer', async (t) => {
  const ward = new Ward(windowed);
  ward.said(undefined, {}, 100);
  t.equal(role(ward.said(undefined, {}, 125)), 'repeat');
  t.equal(role(ward.said(undefined, {}, 106)), 'linked', 'started again with another clock');
  t.equal(role(ward.said(undefined, {}, 107)), 'repeat');
});

t.test('once alarms - one that is replayed from quarantine passes, and changes nothing', async (t) => {
  const ward = new Ward(windowed);
  ward.said(undefined, {}, 0);
  ward.said(undefined, { phase: 'end' }, 10);
  t.equal(role(ward.said(undefined, {}, 5, 1)), 'passed');
  t.equal(role(ward.said(undefined, {}, 12)), 'passed', 'raised again');
  t.equal(role(ward.said(undefined, {}, 5, 1)), 'passed', 'and again');
  t.equal(role(ward.said(undefined, {}, 13)), 'repeat', 'of the one that was raised again');
});

t.test('once alarms - whoever it is about, and wherever, is told apart', async (t) => {
  const changes: [string, Said][] = [
    ['patient', { encounter: 'V2' }],
    ['patient', { patient: { identifiers: [{ value: '2', type: 'AN' }] } }],
    ['patient', { patient: { identifiers: [{ value: '2', type: 'SS' }] } }],
    ['location', { location: { unit: 'ICU', bed: '5' } }],
  ];
  for (const [differs, change] of changes) {
    const ward = new Ward(windowed);
    const first = {
      encounter: 'V1',
      patient: { identifiers: [{ value: '1', type: change.patient === undefined ? 'AN' : 'SS' }] },
      location: { unit: 'ICU', bed: '4' },
    };
    ward.said(0, first);
    t.equal(role(ward.said(1, first)), 'repeat');
    t.match(ward.said(2, { ...first, ...change }), { role: 'linked', links: [{ differs: [differs] }] });
    t.equal(role(ward.said(3, first)), 'passed', 'and back');
  }
});

const pcd = (second: number, pid: string, pv1 = 'PV1|1|I|ICU^1^4') =>
  er7(
    'MSH|^~\\&|MON|HOSP|||20261123081500+0100||ORU^R40^ORU_R40|M1|P|2.6',
    `PID|1||${pid}`,
    pv1,
    `OBR|1||A-1^MON|196616^MDC_EVT_ALARM^MDC|||2026112308150${second}+0100||||||||||||||||||||||^0&MON`,
    'OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||MON-12^ACME',
    `OBX|2|ST|196674^MDC_EVT_LO_VAL_LT_LIM^MDC|1.1.1.1.1|SpO2 LOW|||L~PM~SP|||R|||2026112308150${second}+0100`,
    'OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.1.1.1.3|start||||||R',
    'OBX|4|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.1.1.1.4|active||||||R',
  );

t.test('once alarms - PCD-04: patients that only their name, account or bed tells apart', async (t) => {
  for (const [one, other] of [
    ['||DOE^JANE', '||ROE^RICHARD'],
    ['||DOE^JANE||19700101', '||DOE^JANE||19710101'],
    ['|||||||||||||||77', '|||||||||||||||78'],
  ] as [string, string][]) {
    const site = new OnceSite(windowed);
    site.one('monitors', pcd(0, one), 0);
    t.equal(site.one('monitors', pcd(1, one), 1).once?.role, 'repeat');
    t.match(site.one('monitors', pcd(2, other), 2).once?.links, [{ differs: ['patient'] }], other);
  }
  const moved = new OnceSite(windowed);
  moved.one('monitors', pcd(0, ''), 0);
  t.equal(moved.one('monitors', pcd(1, ''), 1).once?.role, 'repeat');
  const there = moved.one('monitors', pcd(2, '', 'PV1|1|I|ICU^1^5'), 2);
  t.match(there.once?.links, [{ differs: ['location'] }]);
});

t.test('once alarms - an end that does not say which alarm ends lets the next raise pass', async (t) => {
  const ends: Said[] = [
    { code: undefined, id: 'A1', phase: 'end' },
    { code: 'spo2', phase: 'end' },
    { code: undefined, id: 'A2', phase: 'reset' },
    { code: undefined, id: 'A3', phase: 'start', state: 'inactive' },
  ];
  const narrow = windowed.replace('{ window', '{ codes: [spo2-low, hr-high], window');
  for (const config of [windowed, narrow])
    for (const end of ends) {
      if (config === narrow && end.code !== undefined) continue;
      const ward = new Ward(config);
      ward.said(0);
      t.equal(role(ward.said(1)), 'repeat');
      t.equal(role(ward.said(2, end)), 'passed');
      t.match(ward.said(3), { role: 'linked', repeats: 1, links: [{ differs: ['phase'] }] });
      t.equal(role(ward.said(4)), 'repeat', 'and from then on as usual');
    }
  const ward = new Ward(windowed);
  ward.said(0, { code: 'hr-high' });
  ward.said(0);
  t.equal(role(ward.said(1, { code: 'hr-high', phase: 'end' })), 'passed');
  t.equal(role(ward.said(2)), 'repeat', 'the end of another alarm that was raised ends that one');
});

t.test('once alarms - what could not be read may have been the end: the next one passes', async (t) => {
  const ward = new Ward(windowed);
  ward.said(0);
  t.equal(role(ward.said(1)), 'repeat');
  ward.skip();
  t.match(ward.said(2), { role: 'linked', repeats: 1, links: [{ differs: ['quarantine'] }] });
  t.equal(role(ward.said(3)), 'repeat', 'and from then on as usual');
});

t.test('once alarms - one that escalates again passes, at the same priority too', async (t) => {
  const ward = new Ward(windowed);
  const escalate = { phase: 'escalate' };
  t.same(
    [0, 1, 1, 2].map((at) => role(ward.said(at, escalate))),
    ['passed', 'passed', 'repeat', 'linked'],
  );
});

t.test('once alarms - a route by class holds back only what went there', async (t) => {
  const ward = new Ward(`${windowed}
routes: { paged: { when: 'event.class == "urgent"', to: pager } }
`);
  ward.said(0);
  t.same(ward.said(1)?.heldBack, ['pager']);
  const quiet = new Ward(`${windowed}
routes: { paged: { when: 'event.class != "urgent"', to: pager } }
`);
  quiet.said(0);
  t.same(quiet.said(1)?.heldBack, []);
});
