/** What a config says and can never come about is told before a push, and refuses nothing. */
import t from 'tap';
import { checkConfig } from '../../proto/config/check.ts';
import { warningsOf } from '../../proto/config/warnings.ts';

function told(text: string): string[] {
  const { config, problems } = checkConfig(text);
  if (config === undefined) throw new Error(JSON.stringify(problems));
  return warningsOf(config);
}

t.test('config - a form of a date that no date has is told', async (t) => {
  const form = (date: string) =>
    told(`mappings: { a: { set: { patient.birthDate: { from: PID-7, date: "${date}" } } } }\n`);
  t.match(form('YYYYY'), [
    /^The mapping "a" reads patient\.birthDate by the form YYYYY, where one "Y" stands for itself/,
  ]);
  t.match(form('D.M.YYYY'), [/one "D"/]);
  t.match(form('YYYYMMDDHHmmm'), [/one "m"/]);
  for (const right of ['DD.MM.YYYY', 'YYYY-MM-DDTHH:mm:ss', 'DD.MM.YYYY HH:mm hrs', 'YYYY'])
    t.same(form(right), [], right);
});

t.test('config - a rule behind one that is always true is told, and nothing else of it', async (t) => {
  const rules = (first: string) =>
    told(`classes:
  rules:
    - { name: a, when: '${first}', class: stat }
    - { name: b, when: event.kind == "observation", class: urgent }
`);
  t.same(rules('true'), ['The class rule "b" is never reached: "a" before it is always true.']);
  t.same(rules(' (true) ').length, 1);
  t.match(rules('event.kind == "order"'), [/^The class rule "b" makes what it matches urgent/]);
});

t.test('config - a source that nobody is, compared with event.source, is told with its place', async (t) => {
  const sources = 'sources: { lab: { listener: mllp }, adt: { listener: adt } }\n';
  const none = /no source of this config has the name "lba".*; did you mean "lab"\?$/;
  const found = told(`${sources}
classes: { rules: [{ name: a, when: 'event.source == "lba" && event.kind == "master-file"', class: stat }] }
mappings: { m: { when: "'lba' != '' && event.source == 'lba'", set: { extensions.kit: ZBX-2 } } }
destinations: { ehr: { type: mllp, address: 127.0.0.1:2576 } }
routes: { r: { when: 'event.provenance.source in ["lab", "lba"]', to: ehr } }
`);
  t.same(
    found.map((one) => one.split(':')[0]),
    ['mappings.m.when', 'The class rule "a"', 'routes.r.when'],
  );
  for (const one of found) t.match(one, none);
  t.same(
    told(
      `${sources}classes: { rules: [{ name: a, when: 'event.source != "lab" && event.provenance.sendingApplication != "lba"', class: stat }] }\n`,
    ),
    [],
  );
});
