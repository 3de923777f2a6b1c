/** An entry that is added to a config file changes the lines of that entry, and no others. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { withEntry } from '../../control-plane/ctl/config-entry.ts';
import { projectRoot } from '../kit/paths.ts';

const comment = '# lab, observation: Glucose, 1 time since 2026-11-25\n';
const entry = {
  codes: { 'lab-glu': { from: 'urn:hilum:lab:99X', to: 'http://loinc.org', map: { GLU7: '2345-7' } } },
};

/** The lines of `after` that are not in `before`, where all those of `before` are still there in their order. */
function added(before: string, after: string): string[] | undefined {
  const lines = before.split('\n');
  const fresh: string[] = [];
  for (const line of after.split('\n')) {
    if (line === lines[0]) lines.shift();
    else fresh.push(line);
  }
  return lines.length === 0 ? fresh : undefined;
}

t.test('config entry - the commented example keeps each of its lines', async (t) => {
  const before = readFileSync(join(projectRoot, 'deploy/config/site.yaml'), 'utf8');
  const table = withEntry(before, entry, comment);
  t.same(added(before, table), [
    '  # lab, observation: Glucose, 1 time since 2026-11-25',
    '  lab-glu:',
    '    from: urn:hilum:lab:99X',
    '    to: http://loinc.org',
    '    map:',
    '      GLU7: 2345-7',
  ]);
  const code = {
    codes: {
      'lab-tests': { from: '99LAB', to: 'http://loinc.org', map: { CL: { code: '2075-0', display: 'x' } } },
    },
  };
  const after = withEntry(before, code, comment);
  t.same(added(before, after), [
    '      # lab, observation: Glucose, 1 time since 2026-11-25',
    '      CL:',
    '        code: 2075-0',
    '        display: x',
  ]);
  t.same(parse(after).codes['lab-tests'].map.CL, code.codes['lab-tests'].map.CL);
  t.equal(parse(after).codes['lab-tests'].map.NA, '2951-2', 'in the same table');
});

t.test('config entry - whatever the file looks like, its meaning is the old one and the entry', async (t) => {
  const unit = { units: { map: { 'G/L': '10*9/L' } } };
  const files: Record<string, string> = {
    empty: '',
    'only comments': '# nothing yet\n',
    braces: 'codes: { }\nsources: { lab: { listener: mllp } }   # ours\n',
    'no line break at the end': 'sources:\n  lab: { listener: mllp }   # ours',
    'four spaces':
      'codes:\n    a:\n        from: A\n        to: B\n        map:\n            X: "1"   # one\n',
    'a block of text last':
      'classes:\n  rules:\n    - name: a\n      when: >-\n        true\n      class: stat\n\n# end\n',
    'another meaning': 'units:\n  map:\n    G/L: g/L   # wrong\n',
    'windows line breaks': 'units:\r\n  map:\r\n    mg: mg\r\n',
  };
  for (const [what, before] of Object.entries(files)) {
    const was = (parse(before) as Record<string, never> | null) ?? {};
    const after = parse(withEntry(withEntry(before, entry, comment), unit, comment));
    t.same(after.codes['lab-glu'], entry.codes['lab-glu'], what);
    t.equal(after.units.map['G/L'], '10*9/L', what);
    for (const name of Object.keys(was))
      if (name !== 'codes' && name !== 'units') t.same(after[name], was[name], `${what}: ${name}`);
    if (what === 'four spaces') t.equal(after.codes.a.map.X, '1');
  }
  t.match(withEntry(files['only comments'] ?? '', entry, comment), /^# nothing yet\n# lab, obs.*\ncodes:\n/);
  t.match(
    withEntry(files['another meaning'] ?? '', unit, comment),
    /^units:\n {2}map:\n {4}G\/L: 10\*9\/L {3}# wrong\n$/,
  );
});

t.test('config entry - what is no YAML is left alone', async (t) => {
  t.throws(() => withEntry('a: [', entry, comment), { message: /cannot be read as YAML/ });
});
