/** Where a message went at its site stands in its trace: destination, route, answer, attempts and time of each. */
import t from 'tap';
import { controlIdOf } from '../kit/hl7-peek.ts';
import { messageMaker } from '../kit/messages.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { acknowledge, MllpServer } from '../kit/mllp-server.ts';
import { Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

interface Hop {
  readonly hop: string;
  readonly atUs: string;
  readonly destination?: string;
  readonly route?: string;
  readonly answer?: string;
  readonly attempts?: number;
}

const make = messageMaker({ seed: 21, kind: 'oru' });
const [taken, faltered, refused, offline] = [0, 1, 2, 3].map((n) => make(n));
const idOf = (message: typeof taken) => message?.controlId ?? '';

t.test(
  'trace - each local delivery is a hop, also of what was delivered while the line was down',
  async (t) => {
    const site = await Site.start(t);
    const falters = new Map([[idOf(faltered), 2]]);
    const ehr = await MllpServer.start((message) => {
      const id = controlIdOf(message);
      const left = falters.get(id) ?? 0;
      falters.set(id, left - 1);
      return [acknowledge(message, id === idOf(refused) ? 'AR' : left > 0 ? 'AE' : 'AA')];
    });
    const archive = await MllpServer.start((message) => [acknowledge(message, 'CA')]);
    t.teardown(() => Promise.all([ehr.close(), archive.close()]));
    const config = `destinations:
  ehr: { type: mllp, address: "127.0.0.1:${ehr.port}", timeout: 5s }
  archive: { type: mllp, address: "127.0.0.1:${archive.port}", timeout: 5s }
routes:
  results: { when: 'event.kind == "observation"', to: ehr }
  all: { to: archive }
`;
    const file = site.write('routes.yaml', config);
    const pushed = await site.ctl('config', 'push', file, '--site', site.site, '--reason', 'test');
    t.equal(pushed.code, 0, pushed.stderr);
    const tell = async (...messages: (typeof taken)[]) => {
      const lab = await MllpClient.connect({ port: await site.port('lab') });
      for (const message of messages) t.equal((await lab.send(message?.bytes ?? Buffer.alloc(0))).code, 'AA');
      await lab.close();
    };
    const settled = () =>
      until(async () => (await site.status()).destinations.every(({ pending }) => Number(pending) === 0), {
        what: 'the queues of the destinations being empty',
        timeoutMs: 60_000,
      });
    const local = (message: typeof taken) =>
      until(
        async () => {
          const { stdout, code } = await site.ctl('trace', idOf(message), '-o', 'json');
          if (code !== 0) return false;
          const { hops } = JSON.parse(stdout) as { hops: Hop[] };
          const there = hops.filter(({ destination }) => destination !== undefined);
          const plain = hops.slice(0, hops.length - there.length);
          // Until it is told what became of one, it waits.
          const found = there.filter(({ hop }) => hop !== 'waiting');
          t.ok(
            plain.every(({ destination }) => destination === undefined),
            'the way to the centre comes first, as ever',
          );
          const captured = BigInt(plain[0]?.atUs ?? 0);
          t.ok(
            found.every(({ atUs }) => BigInt(atUs) > captured),
            'after its capture',
          );
          return (
            found.length === 2 &&
            found.sort((a, b) => (a.destination ?? '').localeCompare(b.destination ?? ''))
          );
        },
        { what: `the deliveries of ${idOf(message)} in its trace`, timeoutMs: 60_000, everyMs: 200 },
      );

    await tell(taken, faltered, refused);
    await settled();
    const archived = { hop: 'delivered', destination: 'archive', route: 'all', answer: 'CA', attempts: 1 };
    const atEhr = { destination: 'ehr', route: 'results' };
    t.match(await local(taken), [archived, { ...atEhr, hop: 'delivered', answer: 'AA', attempts: 1 }]);
    t.match(await local(faltered), [archived, { ...atEhr, hop: 'delivered', answer: 'AA', attempts: 3 }]);
    t.match(await local(refused), [archived, { ...atEhr, hop: 'dead-letter', answer: 'AR', attempts: 1 }]);
    const { stdout } = await site.ctl('trace', idOf(faltered));
    t.match(stdout, /delivered .* to ehr by route results, sent 3 times, answered AA/);
    t.match(stdout, /delivered .* to archive by route all, sent once, answered CA/);

    await site.plane?.kill();
    await tell(offline);
    await settled();
    await site.gateway?.kill();
    await site.startPlane();
    await site.startGateway();
    await site.connected();
    await site.drained();
    t.match(
      await local(offline),
      [archived, { ...atEhr, hop: 'delivered', answer: 'AA', attempts: 1 }],
      'kept over kill -9, told when the line is back',
    );
  },
);
