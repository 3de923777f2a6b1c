/** One code that came in several places: which of them is meant is asked, and never chosen. */
import t from 'tap';
import { parse } from 'yaml';
import { exitCode } from '../../gateway/process/errors.ts';
import { MllpClient } from '../kit/mllp-client.ts';
import { type EventLine, Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

type Event = EventLine & {
  observations: { code: { codings: { code: string; mapped?: boolean }[] } }[];
};

/** CREA as the order's code, and as a result's in two coding systems. */
const message = Buffer.from(
  [
    'MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01^ORU_R01|A|P|2.5.1',
    'PID|1||4711^^^HOSP^MR||CANARYPATIENT^JANE',
    'OBR|1||F1|CREA^Creatinine panel^PANELS',
    'OBX|1|NM|CREA^Creatinine^TESTS||7.40|mg/dL|||||F',
    'OBX|2|NM|CREA^Creatinine, point of care^POCT||7.10|mg/dL|||||F',
    '',
  ].join('\r'),
);

t.test(
  'codes - which entry of one source is meant is asked, by its field and its coding system',
  async (t) => {
    const site = await Site.start(t);
    const client = await MllpClient.connect({ port: await site.port('lab') });
    t.teardown(() => client.close());
    t.equal((await client.send(message)).code, 'AA');
    await site.drained();
    await until(async () => (await site.ask<object[]>('codes', 'list')).length === 3, {
      what: 'the three at the centre',
      timeoutMs: 30_000,
      everyMs: 100,
    });
    const place = ['--site', 'north'];
    const reason = ['--reason', 'ticket 1'];
    const verbs = {
      entry: ['entry', 'CREA', ...place, '--to', '2160-0'],
      approve: ['approve', 'CREA', ...place, ...reason, '--to', '2160-0', '--replay'],
      replay: ['replay', 'CREA', ...place, ...reason],
    };
    for (const [verb, args] of Object.entries(verbs)) {
      const asked = await site.ctl('codes', ...args);
      t.equal(asked.code, exitCode.usage, verb);
      for (const one of [
        '--site north --source lab --field service',
        '--site north --source lab --field observation --from urn:hilum:lab:TESTS',
        '--site north --source lab --field observation --from urn:hilum:lab:POCT',
      ])
        t.ok(asked.stderr.includes(one), `${verb}: ${one}`);
      const still = await site.ctl('codes', ...args, '--field', 'observation');
      t.equal(still.code, exitCode.usage, `${verb}: two systems`);
      t.notMatch(still.stderr, /service/);
    }
    t.same(await site.ask('config', 'history', ...place), [], 'nothing was pushed');

    const entry = await site.ctl('codes', ...verbs.entry, '--field', 'service');
    t.match(parse(entry.stdout), { codes: { 'lab-panels': { from: 'urn:hilum:lab:PANELS' } } });
    t.match(entry.stderr, /codes replay CREA --site north --source lab --field service/, 'and nothing else');
    const approved = await site.ctl('codes', ...verbs.approve, '--field', 'observation', '--from', 'TESTS');
    t.match(approved, { code: 0, stdout: /1 found, 1 replayed\./ });
    const codes = (event: Event | undefined) =>
      event?.observations.map(({ code }) => code.codings.map((one) => one.code).join());
    const events = (await site.events()) as Event[];
    t.same(codes(events.at(-1)), ['CREA,2160-0', 'CREA'], 'that one alone');
    const replayed = await site.ctl('codes', ...verbs.replay, '--field', 'observation', '--from', 'POCT');
    t.match(replayed.stdout, /1 found, 0 replayed, 1 replayed before\.\n.*does not map the code/);
  },
);

t.test(
  'codes - a code of an order and of its result is one, and what was not replayed is told',
  async (t) => {
    const site = await Site.start(t);
    const client = await MllpClient.connect({ port: await site.port('lab') });
    t.teardown(() => client.close());
    const single = message
      .toString()
      .replace(/OBX\|2.*\r/, '')
      .replaceAll(/\^(PANELS|TESTS)/g, '^TESTS');
    t.equal((await client.send(Buffer.from(single))).code, 'AA');
    await site.drained();
    await until(async () => (await site.ask<object[]>('codes', 'list')).length === 2, {
      what: 'both at the centre',
      timeoutMs: 30_000,
      everyMs: 100,
    });
    const to = ['--to', '2160-0', '--replay', '--reason', 'ticket 2'];
    const approved = await site.ctl('codes', 'approve', 'CREA', '--site', 'north', ...to);
    t.match([approved.code, approved.stdout], [0, /1 found, 1 replayed\./], approved.stderr);
    t.match(approved.stderr, /code of orders, too.*codes replay CREA .*--field service/);
  },
);
