import t from 'tap';
import { z } from 'zod';
import { readDocument, toJsonSchema } from '../../proto/config/document.ts';
import { formatProblems, type Problem } from '../../proto/config/problem.ts';

const schema = z.strictObject({
  level: z.enum(['debug', 'info']).default('info'),
  strict: z.boolean().optional(),
  files: z.array(z.string()).optional(),
  to: z.union([z.string(), z.array(z.string())]).optional(),
  listeners: z
    .record(
      z.string(),
      z.discriminatedUnion('type', [
        z.strictObject({
          type: z.literal('mllp'),
          listen: z.string().meta({ examples: ['127.0.0.1:2575'] }),
          frameBytesMax: z.int().min(1024).max(1_048_576).optional(),
        }),
        z.strictObject({ type: z.literal('mqtt'), listen: z.string() }),
      ]),
    )
    .optional(),
  map: z.record(z.string(), z.union([z.string(), z.strictObject({ code: z.string() })])).optional(),
});

/** [what, text, [path, line, column, message, hint] …] */
type Row = [string, string, ...[string, number, number, string, string][]];

const bomb = 'a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: &c [*b, *b, *b, *b]\nd: [*c, *c, *c, *c]\n';

const rows: Row[] = [
  [
    'a typo in a key',
    'listeners:\n  lab:\n    type: mllp\n    lisen: x\n',
    ['listeners.lab.lisen', 4, 5, 'unknown key', 'did you mean "listen"?'],
  ],
  [
    'no blank behind the colon of a key',
    'listeners: { lab: { type: mllp, listen:x } }\n',
    ['listeners.lab.listen', 1, 33, 'a blank is missing behind the colon', 'write "listen: …"'],
  ],
  [
    'no blank in the place of a mapping',
    'listeners:\n  lab:\n    type:mllp\n',
    [
      'listeners.lab',
      3,
      5,
      'expected a mapping of keys, found text',
      'a blank is missing behind the colon; write "type: …"',
    ],
  ],
  [
    'a blank that is none',
    'listeners:\n  lab:\n    type:\u00a0mllp\n',
    [
      'listeners.lab',
      3,
      5,
      'expected a mapping of keys, found text',
      'what stands behind the colon is no blank of YAML; write "type: …"',
    ],
  ],
  [
    'a unit behind a number of bytes',
    'listeners: { m: { type: mllp, listen: x, frameBytesMax: 64KiB } }',
    [
      'listeners.m.frameBytesMax',
      1,
      57,
      'expected a number, found text',
      'write bytes, without a unit: 65536',
    ],
  ],
  [
    'a number in quotes',
    'listeners: { m: { type: mllp, listen: x, frameBytesMax: "2048" } }',
    ['listeners.m.frameBytesMax', 1, 57, 'expected a number, found text', 'write it without quotes: 2048'],
  ],
  [
    'a number of bytes with a unit that is beyond its bound',
    'listeners: { m: { type: mllp, listen: x, frameBytesMax: 99GiB } }',
    [
      'listeners.m.frameBytesMax',
      1,
      57,
      'expected a number, found text',
      'write bytes, without a unit; it must be at most 1048576',
    ],
  ],
  [
    'a number in quotes that is beyond its bound',
    'listeners: { m: { type: mllp, listen: x, frameBytesMax: "5" } }',
    [
      'listeners.m.frameBytesMax',
      1,
      57,
      'expected a number, found text',
      'write it without quotes; it must be at least 1024',
    ],
  ],
  [
    'a key far from any',
    'zzz: 1\n',
    ['zzz', 1, 1, 'unknown key', 'allowed here: level, strict, files, to, listeners, map'],
  ],
  [
    'a key of another branch',
    'listeners: { m: { type: mqtt, listen: x, frameBytesMax: 2048 } }',
    ['listeners.m.frameBytesMax', 1, 42, 'unknown key', 'allowed here: type, listen'],
  ],
  [
    'text for a switch',
    'strict: yes\n',
    ['strict', 1, 9, 'expected true or false, found text', 'write true'],
  ],
  [
    'a number for text',
    'files: [2.3]\n',
    ['files[0]', 1, 9, 'expected text, found the number 2.3', 'put it in quotes'],
  ],
  [
    'a fraction for a whole number',
    'listeners: { m: { type: mllp, listen: x, frameBytesMax: 2048.5 } }',
    ['listeners.m.frameBytesMax', 1, 57, 'expected a whole number, found the number 2048.5', ''],
  ],
  [
    'a number that is too small',
    'listeners: { m: { type: mllp, listen: x, frameBytesMax: 5 } }',
    ['listeners.m.frameBytesMax', 1, 57, 'must be at least 1024', ''],
  ],
  [
    'a word outside an enum',
    'level: inf\n',
    ['level', 1, 8, '"inf" is not allowed', 'did you mean "info"? allowed: debug, info'],
  ],
  [
    'text for a list',
    'files: a\n',
    ['files', 1, 8, 'expected a list, found text', 'write it as a list: [ … ]'],
  ],
  [
    'neither form of a union',
    'to: 5\n',
    ['to', 1, 5, 'expected text or a list, found the number 5', 'put it in quotes'],
  ],
  [
    'the meant form of a union',
    'to:\n  - a\n  - 5\n',
    ['to[1]', 3, 5, 'expected text, found the number 5', 'put it in quotes'],
  ],
  [
    'an unknown branch',
    'listeners:\n  m: { type: mlp, listen: x }\n',
    ['listeners.m.type', 2, 14, '"mlp" is not allowed', 'did you mean "mllp"? allowed: mllp, mqtt'],
  ],
  [
    'no branch',
    'listeners:\n  m: { listen: x }\n',
    ['listeners.m.type', 2, 3, 'missing', 'allowed: mllp, mqtt'],
  ],
  [
    'a missing key with an example',
    'listeners:\n  m: { type: mllp }\n',
    ['listeners.m.listen', 2, 3, 'missing', 'for example: 127.0.0.1:2575'],
  ],
  [
    'a key without a value',
    'level: debug\nfiles:\n',
    ['files', 2, 1, 'has no value', 'give it a value, or remove the key'],
  ],
  [
    'a path with odd characters',
    'map:\n  "mg/dL": 5\n',
    ['map["mg/dL"]', 2, 12, 'expected text or a mapping of keys, found the number 5', 'put it in quotes'],
  ],
  [
    'a duplicate key',
    'map:\n  a: x\n  b: y\n  a: z\n',
    ['map.a', 4, 3, 'the key stands twice', 'it is first on line 2; join the two, or rename one'],
  ],
  ['a tab', 'files:\n\t- a\n', ['', 2, 1, 'a tab is used to indent', 'indent with spaces, two a level']],
  ['an alias bomb', bomb, ['', 2, 8, 'aliases expand to more than 100 copies', 'write the values out']],
  [
    'an alias without an anchor',
    'level: *x\n',
    [
      '',
      1,
      8,
      'the alias *x has no anchor before it',
      'write &x where it is defined, or quote it if text is meant',
    ],
  ],
  [
    'an empty document',
    '',
    ['', 1, 1, 'settings.yaml is empty', 'write at least one key, or {} to take every default'],
  ],
  [
    'a document of comments',
    '# later\n',
    ['', 1, 1, 'settings.yaml is empty', 'write at least one key, or {} to take every default'],
  ],
  ['plain text', 'hello\n', ['', 1, 1, 'expected a mapping of keys, found text', '']],
  [
    'two documents',
    'level: info\n---\nlevel: debug\n',
    ['', 2, 1, 'a second document begins here', 'remove the ---; one file holds one document'],
  ],
  ['an unclosed bracket', 'files: [a\n', ['', 2, 1, 'a closing ] is missing', 'add ]']],
  ['an unclosed quote', 'level: "info\n', ['', 2, 1, 'a closing " is missing', 'add "']],
  [
    'two keys on a line',
    'level: info: debug\n',
    [
      '',
      1,
      8,
      'a second "key:" on one line',
      'put it on a line of its own, or quote the value if it holds ": "',
    ],
  ],
  [
    'an unknown tag',
    'level: !js x\n',
    ['', 1, 8, 'the tag !js means nothing here', 'remove it, or quote the value'],
  ],
  [
    'a reserved first character',
    'level: @x\n',
    ['', 1, 8, 'a plain value cannot begin with @', 'put the value in quotes'],
  ],
  ['a list as a key', '? [a]\n: 1\n', ['', 1, 3, 'a key must be a word', 'choose another key']],
  [
    'a prototype key',
    'map:\n  __proto__: x\n',
    ['map', 2, 3, '__proto__ cannot be a key', 'choose another key'],
  ],
  [
    'endless brackets',
    '['.repeat(20_000),
    ['', 1, 129, 'more than 64 levels of nesting', 'check for brackets that are never closed'],
  ],
  [
    'several problems in the order of the text',
    'level: x\nfiles: [1]\nfoo: 1\n',
    ['level', 1, 8, '"x" is not allowed', 'allowed: debug, info'],
    ['files[0]', 2, 9, 'expected text, found the number 1', 'put it in quotes'],
    ['foo', 3, 1, 'unknown key', 'allowed here: level, strict, files, to, listeners, map'],
  ],
];

for (const [what, text, ...expected] of rows) {
  t.test(`document - ${what} is refused at its place`, async (t) => {
    const problems = expected.map(([path, line, column, message, hint]) => ({
      path,
      line,
      column,
      message,
      hint,
    }));
    t.same(readDocument(text, schema, 'settings.yaml').problems, problems);
  });
}

t.test('document - defaults are filled in', async (t) => {
  t.match(readDocument('{}', schema), { value: { level: 'info' } });
});

t.test('document - a key that looks like a number stays as written', async (t) => {
  const { value } = readDocument('map: { 007: a, 7: b, 1.0: c, true: d, 0x10: e }', schema) as {
    value: { map: object };
  };
  t.same(value.map, { '007': 'a', '7': 'b', '1.0': 'c', true: 'd', '0x10': 'e' });
});

t.test('document - aliases within the limit are read', async (t) => {
  t.match(readDocument('files: &f [a, b]\nto: *f\n', schema), {
    value: { files: ['a', 'b'], to: ['a', 'b'] },
  });
});

t.test('document - JSON and CRLF are read', async (t) => {
  t.match(readDocument('{"level": "debug"}', schema), { value: { level: 'debug' } });
  const problems = readDocument('level: info\r\nfoo: 1\r\n', schema).problems;
  t.match(problems, [{ path: 'foo', line: 2, column: 1 }]);
});

t.test('document - a wrong table of many rows is told of within a hundred problems', async (t) => {
  const rows = Array.from({ length: 5_000 }, (_, i) => `  C${i}: ${i}\n`).join('');
  t.equal(readDocument(`map:\n${rows}`, schema).problems?.length, 100);
  t.equal(readDocument(rows.replaceAll('  C', 'C'), schema).problems?.length, 100);
});

t.test('document - every cut of a document is an answer, never an exception', async (t) => {
  const text =
    'listeners:\n  lab: { type: mllp, listen: "127.0.0.1:2575" }\nmap:\n  a: &x |\n    y\n  b: *x\n';
  for (let end = 0; end <= text.length; end++) readDocument(text.slice(0, end), schema);
  t.pass('no exception');
});

t.test('problems - a line names file, place, path, message and hint', async (t) => {
  const problem: Problem = {
    path: 'a.b',
    line: 12,
    column: 5,
    message: 'unknown key',
    hint: 'did you mean "c"?',
  };
  t.equal(formatProblems([problem], 's.yaml'), 's.yaml:12:5  a.b: unknown key; did you mean "c"?');
  t.equal(formatProblems([{ ...problem, path: '', hint: '' }], 's.yaml'), 's.yaml:12:5  unknown key');
});

t.test('json schema - is what a person may write', async (t) => {
  t.match(toJsonSchema(schema), {
    type: 'object',
    additionalProperties: false,
    properties: { level: { default: 'info' } },
  });
});
