/** Who is here, told by a file: `hilum-gateway census`, in real daemons and over a restart. */
import t from 'tap';
import { MllpClient } from '../kit/mllp-client.ts';
import { type EventLine, runProgram, Site } from '../kit/site.ts';
import { type Adt, adt, lab } from '../normalize/memory/adt.ts';

interface ContextEvent extends EventLine {
  readonly context?: {
    readonly patient?: { readonly names?: readonly { readonly family: string }[] };
    readonly encounter?: { readonly location?: { readonly bed: string } };
    readonly incomplete?: boolean;
  };
}

const cx = (value: string) => `${value}^^^HOSP&1.2.3&ISO^MR`;
const here = (value: string, bed: number): Adt => ({
  trigger: 'A01',
  ids: cx(value),
  name: `CANARYPATIENT${bed}^JANE`,
  class: 'I',
  location: `ICU^1^${bed}`,
  at: '0700',
});

async function result(site: Site, patient: string, filler: string): Promise<ContextEvent> {
  const client = await MllpClient.connect({ port: await site.port('lab') });
  const { code } = await client.send(lab({ ids: cx(patient), filler }));
  if (code !== 'AA') throw new Error(`answered ${code}`);
  await client.close();
  await site.drained();
  return (await site.events('--source', 'lab')).at(-1) as ContextEvent;
}

t.test('census - a file of ADT is loaded as a source, and from then on nothing is incomplete', async (t) => {
  const site = await Site.start(t);
  const census = (file: string, source = 'adt') =>
    runProgram('gateway', ['census', file, '--source', source, '--data', site.gatewayData, '-o', 'json']);
  const patients = Array.from({ length: 30 }, (_, at) => `CANARYMRN${at}`);
  const messages = patients.map((patient, bed) => adt(here(patient, bed)));
  const file = site.write('census.hl7', Buffer.concat(messages));

  t.same((await result(site, 'CANARYMRN7', 'F1')).context, { incomplete: true });
  const running = await census(file);
  t.equal(running.code, 3, 'a running gateway has its data for itself');
  await site.gateway?.stop();

  const unknown = await census(file, 'nobody');
  t.same([unknown.code, /adt/.test(unknown.stderr)], [2, true], 'a source that is none, and those that are');
  const bad = await census(site.write('bad.hl7', Buffer.concat([...messages, lab({ ids: cx('X') })])));
  t.equal(bad.code, 1);
  t.match(
    bad.stderr,
    /1 of 31 messages are no census; nothing was loaded\.\n {2}message 31: not an admission/,
  );
  t.equal((await census(site.write('empty.hl7', 'hello'))).code, 1);

  const loaded = await census(file);
  t.same([loaded.code, JSON.parse(loaded.stdout)], [0, { source: 'adt', messages: 30, patients: 30 }]);
  await site.startGateway();
  await site.connected();
  await site.drained();
  const line = await site.custodyOf('adt');
  t.match(line, { accepted: 30, delivered: 30, quarantined: 0, missing: 0 });
  t.equal((await site.events('--source', 'adt', '--kind', 'admission')).length, 30);

  t.match((await result(site, 'CANARYMRN7', 'F2')).context, {
    patient: { names: [{ family: 'CANARYPATIENT7' }] },
    encounter: { location: { bed: '7' } },
    incomplete: undefined,
  });
  t.equal((await result(site, 'OUTSIDER', 'F3')).context, undefined, 'who is not here is not here');
  await site.gateway?.kill();
  await site.startGateway();
  await site.connected();
  t.equal((await result(site, 'OUTSIDER', 'F4')).context, undefined, 'also in the next life');
  for (const word of ['CANARYPATIENT', 'CANARYMRN']) {
    t.notOk(site.printed().includes(word), `${word} in what was printed`);
    t.notOk(
      [running, unknown, bad, loaded].some(({ stdout, stderr }) => (stdout + stderr).includes(word)),
      word,
    );
  }
});
