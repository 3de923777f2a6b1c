/**
 * A gateway that is moved to another control plane: that one misses nothing that the one before has, and knows what stands
 * in quarantine; what waited at the move goes to it.
 */
import t from 'tap';
import { MllpClient } from '../kit/mllp-client.ts';
import { runProgram, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

interface Quarantined {
  readonly id: string;
  readonly code: string;
  readonly messageControlId: string;
  readonly state: string;
}

const result = (n: number) =>
  Buffer.from(
    [
      `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01^ORU_R01|R${n}|P|2.5.1`,
      'PID|1||4711^^^HOSP^MR',
      `OBR|1||F${n}|PAN^Panel^99LAB||||||||||||||||||||||F`,
      'OBX|1|NM|K^Kalium^99LAB||4.1|mmol/L|||||F',
      '',
    ].join('\r'),
  );
const notUnderstood = Buffer.from(
  'MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500||ORU^R01|BAD1|P|2.5.1\rPID|1\r',
);

async function send(site: Site, messages: readonly Buffer[]): Promise<void> {
  const client = await MllpClient.connect({ port: await site.port('lab') });
  for (const message of messages) await client.send(message);
  await client.close();
}

/** Enrolls the gateway of `site` with another control plane, while it is stopped. */
async function move(site: Site, to: Site): Promise<void> {
  await site.gateway?.stop();
  const token = await to.ctl('token', 'create', '--site', to.site, '--gateway', 'north');
  const args = ['enroll', '--data', site.gatewayData, '--token', '-', '--replace'];
  const enrolled = await runProgram('gateway', args, { input: token.stdout });
  if (enrolled.code !== 0) throw new Error(enrolled.stderr);
  await site.startGateway();
  await site.connected();
}

t.test('moved - another control plane misses nothing, and is told what stands in quarantine', async (t) => {
  const site = await Site.start(t);
  await send(site, [result(1), result(2), notUnderstood, result(3)]);
  await site.drained();
  await site.reported('lab', { accepted: '4', delivered: '3', quarantined: '1', missing: '0' });
  const [before] = await site.ask<Quarantined[]>('quarantine', 'list');
  t.equal(before?.messageControlId, 'BAD1');

  // What is taken in while the first one is gone has nobody else to go to.
  await site.plane?.kill();
  await send(site, [result(4), result(5)]);
  const other = new Site(t, { site: site.site });
  await other.startPlane();
  await move(site, other);
  await site.drained();
  const row = await other.reported('lab', { accepted: '6', delivered: '5', quarantined: '1' });
  t.match(row, { missing: '0', doubled: '0', stored: '2', deliveredElsewhere: '3' });
  const told = await other.ctl('custody');
  t.match(told.stderr, /^north lab: 3 of the delivered are at another control plane/m);
  const here = await other.events();
  t.same(
    here.map(({ provenance }) => provenance.messageControlId),
    ['R4', 'R5'],
  );
  const audit = await other.ask<{ action: string }[]>('audit', 'list');
  t.notOk(audit.some(({ action }) => action === 'events-missing-here'));
  const [listed, ...more] = await until(
    async () => {
      const found = await other.ask<Quarantined[]>('quarantine', 'list');
      return found.length > 0 && found;
    },
    { what: 'the quarantine being told', timeoutMs: 30_000, everyMs: 200 },
  );
  t.equal(more.length, 0);
  t.match(listed, { id: before?.id, code: before?.code, messageControlId: 'BAD1', state: 'open' });
  const discarded = await other.ctl('quarantine', 'discard', listed?.id ?? '', '--reason', 'test');
  t.equal(discarded.code, 0, discarded.stderr);

  // Back again, it is the other one's that are elsewhere.
  await site.startPlane();
  await move(site, site);
  await send(site, [result(6)]);
  await site.drained();
  t.match(await site.reported('lab', { accepted: '7', delivered: '6', expired: '1' }), {
    missing: '0',
    stored: '4',
    deliveredElsewhere: '2',
  });
});
