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
