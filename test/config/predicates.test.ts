/** Mistakes in predicates: told beside those of the schema, each where it stands in the text. */
import t from 'tap';
import { checkConfig } from '../../proto/config/check.ts';

/** The places of `problems` in the text, each as `path line:column`. */
function placesOf(text: string): string[] {
  return (checkConfig(text).problems ?? []).map(({ path, line, column }) => `${path} ${line}:${column}`);
}

/** One mistake of the schema in each section, and a predicate in each place that can hold one, each with `knd`. */
const everyPlace = `site: { zone: Nowhere }
sources: { lab: { listner: mllp } }
payloads:
  scale:
    devise: $.id
    when: text("@.type") == knd
    observations: [{ code: A, valu: $.v, when: knd }]
    alarm: { when: '"a" == knd' }
mappings:
  m: { when: event.knd == "order", sett: {} }
once:
  results:
    chem: { feeds: [lab], authoritative: [{ feed: lab, when: event.knd == "x" }] }
classes:
  - { name: a, when: event.knd == "order", clas: stat }
  - name: b
    when: >-
      event.kind == "order" &&
        event.knd == "order"
    class: stat
routes:
  r: { when: event.knd == "order", too: ehr }
limts: {}
`;

t.test('config - what the schema refuses hides no mistake in a predicate', async (t) => {
  const whens = placesOf(everyPlace).filter((place) => place.includes('when'));
  t.same(whens, [
    'payloads.scale.when 6:29',
    'payloads.scale.observations[0].when 7:48',
    'payloads.scale.alarm.when 8:28',
    'mappings.m.when 10:20',
    'once.results.chem.authoritative[0].when 13:68',
    'classes[0].when 15:28',
    'classes[1].when 19:15',
    'routes.r.when 22:20',
  ]);
  for (const place of whens) {
    const [, line = 0, column = 0] = / (\d+):(\d+)$/.exec(place)?.map(Number) ?? [];
    t.ok(everyPlace.split('\n')[line - 1]?.startsWith('knd', column - 1), `${place} is where knd stands`);
  }
  const others = placesOf(everyPlace).filter((place) => !place.includes('when'));
  t.same(
    others.filter((place) => /zone|listner|devise|valu|sett|feeds|clas |too|limts/.test(place)).length,
    9,
    'and the mistakes of the schema are there',
  );
  t.same(placesOf(everyPlace), [...placesOf(everyPlace)].sort(byPlace), 'in the order of the text');
});

function byPlace(a: string, b: string): number {
  const [[lineA = 0, columnA = 0], [lineB = 0, columnB = 0]] = [a, b].map((place) =>
    (place.split(' ')[1] ?? '').split(':').map(Number),
  ) as [number[], number[]];
  return lineA - lineB || columnA - columnB;
}

t.test('config - below rules: too, and where rules: is no list nothing is made up', async (t) => {
  const below = (rules: string) => `classes:\n  default: false\n  rules: ${rules}\n`;
  t.same(placesOf(below('[{ name: a, when: event.foo, class: stat }]')), [
    'classes.default 2:3',
    'classes.rules[0].when 3:34',
  ]);
  t.same(placesOf(below('{ a: { when: event.foo, class: stat } }')), [
    'classes.default 2:3',
    'classes.rules 3:10',
  ]);
  t.same(
    placesOf('routs: { r: { when: event.foo, to: ehr } }\n'),
    ['routs 1:1'],
    'what is under an unknown key may be anything',
  );
  t.same(
    placesOf('site: { zon: UTC }\nclasses: [{ name: a, when: 5, class: stat }]\n'),
    ['site.zon 1:9', 'classes[0].when 2:28'],
    'a predicate that is no text is told once',
  );
  t.same(
    placesOf('classes: [{ name: a, when: event.foo, class: stat }\nsite: {}\n').length,
    1,
    'YAML that cannot be read is told alone',
  );
});

t.test('config - of very many problems the first hundred are told', async (t) => {
  const rules = Array.from({ length: 200 }, (_, i) => `  - { name: r${i}, when: event.foo, class: stat }\n`);
  t.equal(placesOf(`site: { zon: UTC }\nclasses:\n${rules.join('')}`).length, 100);
});

t.test('config - a mistake in a predicate is at its place however YAML writes the text', async (t) => {
  const ways: [what: string, written: string][] = [
    ['plain', `event.kind == "order" || event.statu == "x"`],
    ['plain on two lines', `event.kind == "order" ||\n      event.statu == "x"`],
    ['single quotes', `'event.kind == "it''s" || event.statu == "x"'`],
    ['double quotes', `"event.kind == 'order' || event.statu == 'x'"`],
    ['escaped quotes', `"event.kind == \\"order\\" || event.statu == 'x'"`],
    ['escaped letters', `"event.kind == '\\u00e4\\x41\\U0001F600' || event.statu == 'x'"`],
    ['an escaped backslash', `"event.kind == 'a\\\\\\\\b' || event.statu == 'x'"`],
    [
      'an escaped line break before an escaped quote',
      `"event.kind ==\\n\\"order\\" ||\\t\\"a\\" == event.statu"`,
    ],
    ['escaped white space that is none', `"event.kind == 'a\\0\\a\\e\\_\\N\\Lb' || event.statu == 'x'"`],
    ['a line that goes on', `"event.kind == 'order' \\\n      || event.statu == 'x'"`],
    ['folded', `>\n      event.kind == "order" ||\n\n      event.statu == "x"`],
    ['literal with its own indent', `|2-\n      event.kind == "order" ||\n      event.statu == "x"`],
    ['folded with a comment', `>- # why\n      event.kind == "order" ||\n        event.statu == "x"`],
    ['anchored', `&busy event.kind == "order" || event.statu == "x"`],
    ['with letters of two units', `event.kind == "😀" || event.statu == "x"`],
  ];
  for (const [what, written] of ways) {
    const text = `classes:\n  - name: a\n    when: ${written}\n    clas: stat\n`;
    const found = checkConfig(text).problems?.find(({ path }) => path === 'classes[0].when');
    t.match(found?.message, /no field "statu"/, what);
    const line = text.split('\n')[(found?.line ?? 0) - 1] ?? '';
    t.ok(line.startsWith('statu', (found?.column ?? 0) - 1), `${what}: ${found?.line}:${found?.column}`);
  }
});
