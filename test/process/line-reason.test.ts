/** Why the control plane is not reached, for a person: grpc-js and OpenSSL say it in words of their own. */
import t from 'tap';
import { wrongClock } from '../../gateway/doctor.ts';
import { plainReason, reasonHint } from '../../gateway/process/line-reason.ts';

const chain = (last: string) => `No connection established. Last error: Error: ${last}. Resolution note: `;
const nowMs = Date.UTC(2026, 10, 25, 9, 30);

t.test('line reason - the last of a chain is told', async (t) => {
  t.equal(plainReason(chain('connect ECONNREFUSED 127.0.0.1:7443')), 'connect ECONNREFUSED 127.0.0.1:7443');
  const ssl = '808CC5F7:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:ssl3_record.c:350:';
  t.equal(plainReason(ssl), 'what answers there does not speak TLS');
  t.equal(plainReason('anything else'), 'anything else');
});

t.test('line reason - a certificate that is not good now makes one look at the clock', async (t) => {
  for (const why of ['certificate is not yet valid', 'certificate has expired'])
    t.match(
      reasonHint(plainReason(chain(why)), nowMs),
      /clock of this host right\? It says 2026-11-25 09:30 UTC/,
    );
  t.equal(reasonHint('connect ECONNREFUSED', nowMs), undefined);
});

t.test('doctor - a clock outside of the time of the certificate that is presented', async (t) => {
  const certificate = { validFrom: 'Nov 26 09:00:00 2026 GMT', validTo: 'Nov 26 09:00:00 2027 GMT' };
  t.match(wrongClock(certificate, nowMs), /clock of this host says 2026-11-25 09:30 UTC.*begins at Nov 26/);
  t.equal(wrongClock(certificate, nowMs + 86_400_000), undefined);
  t.match(wrongClock(certificate, nowMs + 400 * 86_400_000), /ended at Nov 26/);
});
