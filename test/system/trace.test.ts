/** The trace of a message is whole: what of its record was refused, what else goes by its name, and where it waits. */
import t from 'tap';
import { freePorts } from '../../deploy/local/link.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

interface Traced {
  readonly id: string;
  readonly messageControlId: string;
  readonly code: string;
  readonly hops: readonly { hop: string; atUs: string; destination?: string; route?: string }[];
  readonly alsoQuarantined?: { readonly id: string; readonly code: string; readonly replayedAtUs?: string };
  readonly more?: readonly Traced[];
  readonly leftOut?: number;
}

const result = (id: string, order: string) =>
  [
    `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01^ORU_R01|${id}|P|2.5.1`,
    'PID|1||4711^^^HOSP^MR||CANARYPATIENT^JANE',
    `OBR|1|P${order}|F${order}|2823-3^Potassium^LN`,
    'OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|||||F',
  ]
    .map((line) => `${line}\r`)
    .join('');
const query = (id: string) =>
  `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||QBP^Q11^QBP_Q11|${id}|P|2.5.1\rQPD|Q11^x^HL70471|77|4711\rRCP|I\r`;

t.test(
  'trace - says all of a message, also what was refused, what waits and what is not shown',
  async (t) => {
    const site = await Site.start(t);
    const client = await MllpClient.connect({ port: await site.port('lab') });
    const send = async (text: string) => t.equal((await client.send(Buffer.from(text))).code, 'AA');
    const traced = (id: string, fits: (found: Traced) => boolean) =>
      until(
        async () => {
          const { code, stdout } = await site.ctl('trace', id, '-o', 'json');
          if (code !== 0) return false;
          const found = JSON.parse(stdout) as Traced;
          return fits(found) && found;
        },
        { what: `the trace of ${id}`, timeoutMs: 60_000, everyMs: 200 },
      );

    // Two messages in one frame, the second of which nobody understands.
    await send(result('T1', '1') + query('T2'));
    const refused = await traced('T2', () => true);
    t.match(refused, {
      messageControlId: 'T2',
      code: 'query',
      hops: [{ hop: 'captured' }, { hop: 'quarantined' }],
    });
    const taken = await traced('T1', ({ hops }) => hops.some(({ hop }) => hop === 'stored'));
    t.match(taken, { messageControlId: 'T1', alsoQuarantined: { id: refused.id, code: 'query' } });
    t.notOk(taken.code);
    t.equal(taken.more, undefined, 'its record is told once');
    t.match(
      (await site.ctl('trace', 'T1')).stdout,
      new RegExp(
        `also in quarantine, because not all of its record was understood: from .* as ${refused.id}: query`,
      ),
    );

    // One message control ID for what was refused and for what was not.
    await send(query('T3'));
    await traced('T3', () => true);
    await send(result('T3', '3'));
    const both = await traced('T3', ({ more }) => more !== undefined);
    t.match(both, { messageControlId: 'T3', more: [{ code: 'query', messageControlId: 'T3' }] });

    // More than are shown.
    for (let n = 0; n < 25; n += 1) await send(result('T4', `4${n}`));
    await site.drained();
    const many = await traced('T4', ({ leftOut }) => leftOut === 5);
    t.equal(many.more?.length, 19);
    const lines = await site.ctl('trace', 'T4', '-o', 'jsonl');
    t.equal(lines.stdout.trim().split('\n').length, 20);
    t.match(lines.stderr, /20 of 25 that go by T4 are shown/);

    // A receiver that is not there, while another one takes it all.
    const [nobody = 0] = await freePorts(1);
    const config = `destinations: { ehr: { type: mllp, address: "127.0.0.1:${nobody}" } }\nroutes: { results: { to: ehr } }\n`;
    const file = site.write('routes.yaml', config);
    const pushed = await site.ctl('config', 'push', file, '--site', site.site, '--reason', 'test');
    t.equal(pushed.code, 0, pushed.stderr);
    await send(result('T5', '5'));
    const waits = await traced('T5', ({ hops }) => hops.some(({ hop }) => hop === 'acked'));
    t.match(waits.hops.at(-1), { hop: 'waiting', destination: 'ehr', route: 'results', atUs: /^\d+$/ });
    t.match(
      (await site.ctl('trace', 'T5')).stdout,
      /waiting .* for ehr by route results: the gateway has not told/,
    );
    await client.close();
  },
);
