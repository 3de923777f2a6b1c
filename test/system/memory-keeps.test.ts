/**
 * What the gateway remembers, over what people do with its disk: a compaction, an image that is restored, a
 * journal that was full. What follows is read in the light of what came before, and names the right record.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { MllpClient, NoAnswer } from '../kit/mllp-client.ts';
import { type EventLine, folderOf, runProgram, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';
import { adt, lab } from '../normalize/memory/adt.ts';

interface Position {
  readonly epoch: string;
  readonly sequence: string;
}

interface Remembered extends EventLine {
  readonly provenance: EventLine['provenance'] & { readonly record: Position };
  readonly supersessions?: readonly { readonly record: Position; readonly status: string }[];
  readonly identityLinks?: readonly {
    readonly surviving: readonly { readonly value: string }[];
    readonly merge: Position;
  }[];
  readonly context?: { readonly patient?: { readonly names?: readonly { readonly family: string }[] } };
  readonly observations: readonly {
    readonly previous?: readonly { readonly value: string; readonly record: Position }[];
  }[];
}

const cx = (value: string) => `${value}^^^HOSP&1.2.3&ISO^MR`;

async function send(site: Site, listener: string, ...messages: readonly Buffer[]): Promise<string[]> {
  const client = await MllpClient.connect({ port: await site.port(listener) });
  const codes: string[] = [];
  for (const message of messages) codes.push((await client.send(message)).code);
  await client.close();
  return codes;
}

/** Admitted and merged, and two orders: one of them final. */
async function before(t: Test, site: Site): Promise<void> {
  t.same(
    await send(
      site,
      'adt',
      adt({ trigger: 'A01', ids: cx('OLD'), name: 'DOE^JANE', birthDate: '19800101', sex: 'F', class: 'I' }),
      adt({ trigger: 'A40', ids: cx('NEW'), mrg: cx('OLD'), name: 'DOE^JANE', at: '0930' }),
    ),
    ['AA', 'AA'],
  );
  await site.drained();
  t.same(
    await send(
      site,
      'lab',
      lab({ ids: cx('OLD'), filler: 'F1', observed: '1000', status: 'P', value: '3.9' }),
      lab({ ids: cx('OLD'), filler: 'F2', observed: '1010', status: 'F', value: '4.2' }),
    ),
    ['AA', 'AA'],
  );
  await site.drained();
}

/** The final of the first order, and what it says of everything that came before. */
async function after(t: Test, site: Site): Promise<void> {
  t.same(
    await send(
      site,
      'lab',
      lab({ ids: cx('OLD'), filler: 'F1', observed: '1020', status: 'F', value: '4.4' }),
    ),
    ['AA'],
  );
  await site.drained();
  const all = (await site.events()) as Remembered[];
  const merge = all.find(({ kind }) => kind === 'merge')?.provenance.record;
  const [preliminary, other] = all.filter(({ kind }) => kind === 'observation').map((one) => one.provenance);
  const final = all.at(-1);
  t.match(final?.supersessions, [
    { record: preliminary?.record, status: 'preliminary' },
    { record: preliminary?.record, status: 'preliminary' },
  ]);
  t.match(final?.observations, [
    {
      previous: [
        { value: '3.9', record: preliminary?.record },
        { value: '4.2', record: other?.record },
      ],
    },
  ]);
  t.match(final?.identityLinks, [{ surviving: [{ value: 'NEW' }], merge }]);
  t.match(final?.context?.patient?.names, [{ family: 'DOE' }]);
}

t.test('memory - it is whole after a compaction', async (t) => {
  const site = await Site.start(t);
  await before(t, site);
  await site.gateway?.stop();
  const compacted = await runProgram('gateway', ['journal', 'compact', '--data', site.gatewayData]);
  t.equal(compacted.code, 0, compacted.stderr);
  await site.startGateway();
  await site.connected();
  await after(t, site);
});

t.test('memory - a restored image knows what it held, by the records of their own epoch', async (t) => {
  const site = await Site.start(t);
  await before(t, site);
  await site.gateway?.stop();
  const image = join(folderOf(t), 'image');
  cpSync(site.gatewayData, image, { recursive: true });
  await site.startGateway();
  // What the later self has seen, the image never has.
  await send(site, 'adt', adt({ trigger: 'A08', ids: cx('NEW'), name: 'ROE^JANE', at: '1100', class: 'I' }));
  await site.drained();
  await site.gateway?.stop();
  rmSync(site.gatewayData, { recursive: true });
  cpSync(image, site.gatewayData, { recursive: true });
  await site.startGateway();
  await until(async () => (await site.status()).alarms.some(({ code }) => code === 'journal-restored'), {
    what: 'the gateway seeing that it was restored',
    timeoutMs: 60_000,
  });
  await after(t, site);
  const epochs = new Set(((await site.events()) as Remembered[]).map(({ position }) => position.epoch));
  t.equal(epochs.size, 2);
});

t.test('memory - it works on after the journal was full', async (t) => {
  const site = await Site.start(t, {
    settings: `listeners:
  lab: { type: mllp, listen: "127.0.0.1:0" }
  adt: { type: mllp, listen: "127.0.0.1:0" }
journal: { bytesMax: 16MiB }
`,
  });
  await before(t, site);
  await site.plane?.kill();
  const note = 'X'.repeat(60_000);
  let stored = 0;
  // A sender that is not answered keeps its message; it was not taken.
  const taken = (at: number) =>
    send(site, 'lab', lab({ ids: cx('P1'), filler: `FULL${at}`, value: note })).catch((error: unknown) => {
      if (error instanceof NoAnswer) return [error.reason];
      throw error;
    });
  while ((await taken(stored))[0] === 'AA') stored += 1;
  t.ok(stored > 10, `${stored} were taken until it was full`);
  await site.startPlane();
  await site.drained();
  await until(async () => (await site.status()).journal.state === 'open', {
    what: 'room in the journal',
    timeoutMs: 60_000,
  });
  await after(t, site);
  t.match(await site.custodyOf('lab'), { accepted: stored + 3, pending: 0, missing: 0 });
});
