/** Who became whom, in real daemons: a merge while results wait because the line is down, and after it. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MllpClient } from '../kit/mllp-client.ts';
import { type EventLine, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';
import { type Adt, adt, lab } from '../normalize/memory/adt.ts';

interface Id {
  readonly value: string;
}

interface IdentityEvent extends EventLine {
  readonly patient: { readonly identifiers: readonly Id[]; readonly names?: readonly unknown[] };
  readonly identityLinks?: readonly {
    readonly atUs?: string;
    readonly said: readonly Id[];
    readonly surviving?: readonly Id[];
    readonly merge: { readonly sequence: string };
    readonly addedAtCentre?: boolean;
    readonly undoneBy?: { readonly sequence: string };
  }[];
  readonly context?: {
    readonly patient?: { readonly names?: readonly { readonly family: string }[] };
    readonly encounter?: { readonly location?: { readonly bed: string } };
    readonly incomplete?: boolean;
  };
}

const [retired, survivor] = ['CANARYMRN1', 'CANARYMRN2'];
const cx = (value: string) => `${value}^^^HOSP&1.2.3&ISO^MR`;
const canaryWords = [retired, survivor, 'CANARYPATIENT'];
const results = 40;

async function send(site: Site, listener: string, messages: readonly Buffer[]): Promise<void> {
  const client = await MllpClient.connect({ port: await site.port(listener) });
  for (const message of messages) {
    const { code } = await client.send(message);
    if (code !== 'AA') throw new Error(`answered ${code}`);
  }
  await client.close();
}

const movement = (of: Partial<Adt> & { trigger: string }) =>
  adt({ ids: cx(retired), name: 'CANARYPATIENT^JANE', birthDate: '19800101', sex: 'F', ...of });
const result = (minute: number, patient = retired) =>
  lab({ ids: cx(patient), filler: `F${minute}`, observed: `10${String(minute).padStart(2, '0')}` });

async function eventsOf(site: Site, source: string): Promise<IdentityEvent[]> {
  return (await site.events('--source', source)) as IdentityEvent[];
}

t.test(
  'identity - results that wait while their patient is merged are delivered with the survivor',
  async (t) => {
    const site = await Site.start(t);
    await send(site, 'lab', [result(0, 'NOBODY')]);
    await send(site, 'adt', [
      movement({ trigger: 'A01', class: 'I', location: 'ICU^1^4', admitted: '0800' }),
    ]);
    await site.drained();

    // The line is down.
    await site.plane?.kill();
    await send(
      site,
      'lab',
      Array.from({ length: results }, (_, at) => result(1 + at)),
    );
    await until(
      async () =>
        (await site.status()).journal.lanes.some(
          ({ lane, queued }) => lane === 'routine' && queued >= results,
        ),
      { what: 'the results being normalized', timeoutMs: 60_000 },
    );
    await send(site, 'adt', [movement({ trigger: 'A40', ids: cx(survivor), mrg: cx(retired), at: '1050' })]);
    await until(
      async () =>
        (await site.status()).journal.lanes.some(({ lane, queued }) => lane === 'urgent' && queued > 0),
      { what: 'the merge being normalized', timeoutMs: 60_000 },
    );
    await site.gateway?.kill();
    await site.startPlane();
    await site.startGateway();
    await site.drained();

    const [merge] = (await eventsOf(site, 'adt')).filter(({ kind }) => kind === 'merge');
    const sequence = merge?.provenance.record.sequence;
    const waited = (await eventsOf(site, 'lab')).slice(1);
    t.equal(waited.length, results);
    for (const event of waited) {
      t.match(event.patient.identifiers, [{ value: retired }], 'what was said stays');
      t.match(event.identityLinks, [
        {
          said: [{ value: retired }],
          surviving: [{ value: survivor }],
          merge: { sequence },
          addedAtCentre: true,
        },
      ]);
      t.match(event.context, { encounter: { location: { bed: '4' } }, incomplete: undefined });
    }
    const raw = (await site.events('--source', 'lab', '--raw', '--reason', 'test')).slice(1);
    t.ok(
      raw.every((event, at) => Buffer.from(event.raw ?? '', 'base64').equals(result(1 + at))),
      'the bytes are what was sent',
    );

    // From now on the gateway follows it, over its restart.
    await send(site, 'lab', [result(50)]);
    await site.drained();
    const late = (await eventsOf(site, 'lab')).at(-1);
    t.match(late?.patient.identifiers, [{ value: retired }]);
    t.match(late?.identityLinks, [
      { surviving: [{ value: survivor }], merge: { sequence }, addedAtCentre: undefined },
    ]);
    t.match(late?.context?.patient?.names, [{ family: 'CANARYPATIENT' }]);
    t.match(late?.context?.encounter?.location, { bed: '4' }, 'the survivor lies where the retired one lay');
    t.equal(late?.patient.names, undefined, 'and the message still says no name');

    const trace = await site.ask<{ followed: unknown[] }>('trace', waited[0]?.id ?? '');
    t.match(trace.followed, [
      { what: 'patient', kind: 'merge', trigger: 'A40', merge: { sequence }, addedAtCentre: true },
    ]);
    const merged = late?.identityLinks?.[0]?.atUs;
    const mergedTrace = await site.ask<{ followed: { atUs: string }[]; clockOffsetUs?: string }>(
      'trace',
      late?.id ?? '',
    );
    t.equal(
      Number(mergedTrace.followed[0]?.atUs),
      Number(merged) - Number(mergedTrace.clockOffsetUs ?? 0),
      'when it was merged, not when this came',
    );
    const { stdout } = await site.ctl('trace', late?.id ?? '');
    t.match(stdout, /patient: merge by record [0-9a-f]+\.\d+ \(A40, .*followed at the gateway/);
    t.notOk(stdout.includes(survivor), 'a trace names no patient');

    const [nobody] = await eventsOf(site, 'lab');
    t.same(nobody?.context, { incomplete: true }, 'of whom no ADT has spoken');

    await send(site, 'adt', [
      movement({ trigger: 'A37', ids: cx(retired), other: cx(survivor), at: '1055' }),
    ]);
    await site.drained();
    const undone = (await eventsOf(site, 'lab')).at(-1);
    t.match(undone?.identityLinks, [{ merge: { sequence }, undoneBy: { sequence: /\d+/ } }]);
    t.equal(
      (await eventsOf(site, 'lab'))[1]?.identityLinks,
      undefined,
      'what only the centre had followed stands alone',
    );

    await site.gateway?.kill();
    await site.plane?.kill();
    for (const folder of [join(site.gatewayData, 'journal'), join(site.planeData, 'store')]) {
      for (const name of readdirSync(folder)) {
        const file = readFileSync(join(folder, name), 'latin1');
        for (const word of canaryWords) t.notOk(file.includes(word), `${word} in ${name}`);
      }
    }
    for (const word of canaryWords) t.notOk(site.printed().includes(word), `${word} in what was printed`);
  },
);
