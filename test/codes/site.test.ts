/** From a code that nobody knew to a mapped one, with the programs, as the README says. */
import t from 'tap';
import { parse } from 'yaml';
import { MllpClient } from '../kit/mllp-client.ts';
import { Site } from '../kit/site.ts';
import { until } from '../kit/wait.ts';

interface Row {
  code: string;
  field: string;
  state: string;
  count: string;
}

t.test(
  'codes - a code that was not known is listed, given an entry, pushed, and mapped from then on',
  async (t) => {
    const site = await Site.start(t);
    const client = await MllpClient.connect({ port: await site.port('lab') });
    t.teardown(() => client.close());
    const send = (id: string) =>
      client.send(
        Buffer.from(
          [
            `MSH|^~\\&|LAB|HOSP|EHR|HOSP|20261123081500+0100||ORU^R01|${id}|P|2.5.1`,
            'PID|1||4711||CANARYPATIENT^JANE',
            'OBR|1|||24321-2^Panel^LN',
            'OBX|1|NM|GLU7^Glucose^99LAB||7.40|MG/DL|3.00-5.00|H|||F',
            'OBX|2|NM|6690-2^Leukocytes^LN||5.1|G/L||||F',
            '',
          ].join('\r'),
        ),
      );
    const rows = (...args: string[]) => site.ask<Row[]>('codes', 'list', '--site', 'north', ...args);
    await send('BEFORE');
    const listed = await until(
      async () => {
        const found = await rows();
        return found.length === 2 && found;
      },
      { what: 'the two unknown ones at the centre', timeoutMs: 30_000, everyMs: 100 },
    );
    t.match(
      listed.find(({ code }) => code === 'GLU7'),
      {
        site: 'north',
        source: 'lab',
        field: 'observation',
        system: 'urn:hilum:lab:99LAB',
        name: '99LAB',
        text: 'Glucose',
        unit: 'MG/DL',
        count: '1',
        state: 'unmapped',
        toCode: '',
      },
    );
    t.match(
      listed.find(({ code }) => code === 'G/L'),
      { field: 'unit', state: 'unmapped' },
    );
    const table = (await site.ctl('codes', 'list', '--unmapped')).stdout;
    t.match(table, /^SITE +SOURCE +FIELD +SYSTEM +CODE/);
    t.match(table, /north +lab +observation +99LAB +GLU7 +Glucose +MG\/DL +1 /);

    t.match(await site.ctl('codes', 'entry', 'GLU7'), { code: 1, stderr: /--to/ }, 'nothing suggests it');
    t.match(await site.ctl('codes', 'entry', 'NONE'), { code: 1, stderr: /codes list/ });
    const code = await site.ctl('codes', 'entry', 'GLU7', '--to', '2345-7', '--display', 'Glucose');
    t.match(code, { code: 0, stderr: /Nothing was changed[\s\S]*config push FILE --site north/ });
    t.same(parse(code.stdout), {
      codes: {
        'lab-99lab': {
          from: 'urn:hilum:lab:99LAB',
          to: 'http://loinc.org',
          map: { GLU7: { code: '2345-7', display: 'Glucose' } },
        },
      },
    });
    const unit = await site.ctl('codes', 'entry', 'G/L', '--to', '10*9/L');
    t.same(parse(unit.stdout), { units: { map: { 'G/L': '10*9/L' } } });

    const config = {
      ...(parse(code.stdout) as object),
      units: {
        ...(parse(unit.stdout) as { units: object }).units,
        convert: { glucose: { code: '2345-7', from: 'mg/dL', to: 'mmol/L', molecularWeight: 180.156 } },
      },
    };
    const file = site.write('site.yaml', JSON.stringify(config));
    t.equal((await site.ctl('config', 'push', file, '--site', 'north', '--reason', 'glucose')).code, 0);
    t.same(await rows('--unmapped'), []);
    t.same(
      (await rows()).map(({ state }) => state),
      ['mapped', 'mapped'],
    );

    await send('AFTER');
    await site.drained();
    const events = await site.events();
    const of = (id: string) => events.find(({ provenance }) => provenance.messageControlId === id);
    t.match(of('AFTER'), {
      observations: [
        {
          code: {
            codings: [
              { system: 'urn:hilum:lab:99LAB', code: 'GLU7' },
              { system: 'http://loinc.org', code: '2345-7', mapped: true },
            ],
          },
          value: '7.40',
          unit: 'MG/DL',
          referenceRange: '3.00-5.00',
          converted: { value: '0.4108', unit: 'mmol/L', referenceRange: '0.1665-0.2775', from: 'mg/dL' },
        },
        { unitCode: { codings: [{ code: 'G/L' }, { code: '10*9/L', mapped: true }] } },
      ],
    });
    type Result = { code: { codings: unknown[] }; converted?: object };
    const [before] = (of('BEFORE')?.observations ?? []) as Result[];
    t.equal(before?.code.codings.length, 1, 'what came before the push stays as it is');
    t.equal(before?.converted, undefined);
    t.notMatch(site.printed(), /CANARY|GLU7/, 'no code and no patient in a log');
  },
);
