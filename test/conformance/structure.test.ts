/** Segments, fields, repetitions, components and subcomponents are where another engine's XML has them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Segment } from '../../gateway/normalize/hl7v2/message.ts';
import { scopeOf } from '../../gateway/normalize/hl7v2/normalize.ts';
import { scan } from '../../gateway/normalize/hl7v2/scanner.ts';
import { split } from '../../gateway/normalize/hl7v2/split.ts';
import { testContext } from '../normalize/context.ts';
import { pairsFolder } from './pairs.ts';

const folder = join(pairsFolder, 'mirth/hl7v2-xml-structure');
const names = existsSync(folder)
  ? readdirSync(folder).flatMap((file) => /^(.*)-(?:input|output)\.xml$/.exec(file)?.[1] ?? [])
  : [];
const skip = names.length > 0 ? false : 'corpus not present (HILUM_CORPUS)';

/** One value of the XML: the how-manieth segment, its name, field, repetition, component, subcomponent (0: none). */
interface Leaf {
  segment: number;
  name: string;
  field: number;
  repetition: number;
  component: number;
  subcomponent: number;
  text: string;
}

t.test('structure - every value is where the other engine has it', { skip }, async (t) => {
  let leaves = 0;
  let files = 0;
  for (const name of names) {
    const side = existsSync(join(folder, `${name}-output.xml`))
      ? ['output.xml', 'input.txt']
      : ['input.xml', 'output.txt'];
    const [xml = '', er7] = side.map((end) => readFileSync(join(folder, `${name}-${end}`)));
    // Two of the files are a segment and a field by themselves, which no sender sends.
    if (!xml.includes('<MSH>')) continue;
    files++;
    // A batch's own headers are not messages.
    const wanted = leavesOf(xml.toString()).filter((leaf) => !/^[FB][HT]S$/.test(leaf.name));
    const segments = split(er7 as Buffer).messages.flatMap(segmentsOf);
    t.same([...new Set(wanted.map((leaf) => leaf.segment))].length, segments.length, `${name}: segments`);
    const first = wanted[0]?.segment ?? 0;
    for (const leaf of wanted) {
      if (leaf.name === 'MSH' && leaf.field < 3) continue;
      leaves++;
      const segment = segments[leaf.segment - first];
      const { field, repetition, component, subcomponent } = leaf;
      const ours = segment?.text(field, repetition, component, subcomponent);
      if (segment?.name !== leaf.name || ours !== leaf.text.trim())
        t.fail(`${name}: ${leaf.name}-${field}[${repetition}].${component}.${subcomponent}`);
    }
  }
  t.ok(files === 9 && leaves > 300, `${leaves} values of ${files} files`);
});

function segmentsOf(raw: Uint8Array): Segment[] {
  const message = scan(raw, scopeOf(testContext()));
  if ('code' in message) throw new Error(message.reason);
  return message.segments;
}

/** Elements are named SEG, SEG.field, SEG.field.component, SEG.field.component.subcomponent. */
function leavesOf(xml: string): Leaf[] {
  const found: Leaf[] = [];
  const repetitions = new Map<string, number>();
  let segment = -1;
  for (const [, name = '', closed, text = ''] of xml.matchAll(/<([A-Z0-9]{3}(?:\.\d+)*)(\/?)>([^<]*)/g)) {
    const [, field = 0, component = 1, subcomponent = 0] = name.split('.').map(Number);
    if (field === 0) {
      segment++;
      repetitions.clear();
      continue;
    }
    if (name.split('.').length === 2) repetitions.set(name, (repetitions.get(name) ?? 0) + 1);
    const repetition = repetitions.get(name.split('.').slice(0, 2).join('.')) ?? 1;
    if (closed === '' && text.trim() !== '')
      found.push({
        segment,
        name: name.slice(0, 3),
        field,
        repetition,
        component,
        subcomponent,
        text: unescaped(text),
      });
  }
  return found;
}

function unescaped(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');
}
