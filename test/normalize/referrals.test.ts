/** Referrals: where they stand, and who refers to whom [HL7 11.8]. */
import t from 'tap';
import { events, only, remarksOf, resources } from './told.ts';

t.test('referrals - RF1-1 says where it stands, in code or in words', async (t) => {
  for (const [sent, status, fhir] of [
    ['A^Accepted^HL70283', 'accepted', 'active'],
    ['Accepted', 'accepted', 'active'],
    ['^pending', 'requested', 'active'],
    ['p', 'requested', 'active'],
    ['Rejected^Rejected by clinic', 'rejected', 'revoked'],
    // Nobody says that the patient was seen, and nobody is to see him on it any more.
    ['E^Expired^HL70283', 'cancelled', 'revoked'],
    ['Expired', 'cancelled', 'revoked'],
  ] as const) {
    const message = [`RF1|${sent}|R||||R1`, 'PRD|RP|GP^G'];
    const all = events('REF^I13', ...message);
    t.match(all, [{ status }], sent);
    t.same(remarksOf(all), [], sent);
    t.match(only('ServiceRequest', resources('REF^I13', ...message)), [{ status: fhir }], sent);
  }
});

t.test('referrals - an RF1-1 that nobody knows is unknown, with a remark', async (t) => {
  for (const sent of ['NEW^New^99GP', 'In review']) {
    const message = [`RF1|${sent}|R||||R1`, 'PRD|RP|GP^G'];
    const all = events('REF^I13', ...message);
    t.match(all, [{ status: 'unknown' }], sent);
    t.same(remarksOf(all), ['RF1-1: not a code of table 0283, the status of the referral is unknown'], sent);
  }
  const silent = events('REF^I12', 'RF1||R||||R1');
  t.match(silent, [{ status: '' }]);
  t.same(remarksOf(silent), []);
  t.match(events('RRI^I12', 'MSA|AR|M1', 'RF1|NEW^New^99GP|R||||R1'), [{ status: 'rejected' }]);
});

t.test('referrals - who refers and who is referred to is who has that role now', async (t) => {
  const prd = (role: string, name: string, start: string, end: string) =>
    `PRD|${role}|${name}^X||||||${start}|${end}`;
  const told = (...prds: string[]) =>
    only('ServiceRequest', resources('REF^I12', 'RF1|P|||||R1', ...prds))[0];
  const message = ['RF1|P|||||R1', prd('RP', 'OLD', '2020', '20251231'), prd('RP', 'NEW', '20260101', '')];
  t.match(events('REF^I12', ...message)[0]?.referral?.participants, [
    { period: { start: { value: '2020' }, end: { value: '2025-12-31' } } },
    { period: { start: { value: '2026-01-01' }, end: undefined } },
  ]);
  t.match(told(prd('RP', 'OLD', '2020', '20251231'), prd('RP', 'NEW', '20260101', '')), {
    requester: { display: 'X NEW' },
  });
  t.match(told(prd('RP', 'NEXT', '20270101', ''), prd('RP', 'NOW', '', '20261123')), {
    requester: { display: 'X NOW' },
  });
  const both = told(prd('RT', 'OLD', '', '2025'), prd('RT', 'ONE', '', ''), prd('RT', 'TWO', '2026', '2026'));
  t.match(both, { performer: { 0: { display: 'X ONE' }, 1: { display: 'X TWO' }, length: 2 } });
  t.match(
    told(prd('RP', 'OLD', '2020', '20251231')),
    { requester: { display: 'X OLD' } },
    'nobody else is named',
  );
});
