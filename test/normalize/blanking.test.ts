/**
 * Every field that a family says it reads is read, and makes a difference: one message per family
 * with every declared field filled, and every message of the corpus, each field blanked in turn.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Family } from '../../gateway/normalize/hl7v2/family.ts';
import { fieldsRead } from '../../gateway/normalize/hl7v2/fields.ts';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import type { Segment } from '../../gateway/normalize/hl7v2/message.ts';
import { allFamilies } from '../../gateway/normalize/hl7v2/message-types.ts';
import { split } from '../../gateway/normalize/hl7v2/split.ts';
import { ClinicalEvent } from '../../proto/gen/hilum/v1/event.ts';
import { testContext } from './context.ts';
import { corpusFiles, corpusFolder, corpusPresent, isDocument } from './corpus-outcomes.ts';

const context = testContext();
const messagesMax = 8; // per corpus file: the batches repeat themselves

/** Message types that lead to a family, and what makes the family of that type. */
const typeOf: Record<string, string> = {
  adt: 'ADT^A01',
  'adt-merge': 'ADT^A40',
  oru: 'ORU^R01',
  oul: 'OUL^R22',
  'oru-device': 'ORU^R01',
  'oru-alarm': 'ORU^R40',
  orders: 'OML^O21',
  rx: 'RDE^O11',
  mdm: 'MDM^T02',
  siu: 'SIU^S12',
  vxu: 'VXU^V04',
  finance: 'DFT^P03',
  ref: 'REF^I12',
  problem: 'PPR^PC1',
  mfn: 'MFN^M01',
};

/** Read to find out what the message is, not for the event. */
const aside = new Set([
  'EVN-1', // stands in for MSH-9.2, which wins
  'DSC-1', // the continuation pointer
  'DG1-2', // the coding system, where DG1-3 names none
  'PR1-2',
  'RXA-27', // the place, where RXA-11 names none
  'RGS-2', // the action, where the resources behind it name none
  'DB1-2', // whose the disability is: only the patient's is kept
]);

for (const family of allFamilies) {
  t.test(`blanking ${family.name} - every declared field is read and changes the event`, (t) => {
    const declared = fieldsRead(family);
    for (const name of declared.keys()) {
      if (name === 'MSH') continue;
      const raw = synthetic(family, name, declared.get(name) ?? []);
      const read = new Set<string>();
      const found = normalizeHl7v2(raw, context, (segment, field) => read.add(`${segment.name}-${field}`));
      t.match(found.events[0]?.provenance?.rules[0], `hl7v2/${family.name}`, `${name} in ${family.name}`);
      for (const field of declared.get(name) ?? []) {
        t.ok(read.has(`${name}-${field}`), `${name}-${field} is read`);
        t.not(shown(blanked(raw, name, field)), shown(raw), `${name}-${field} changes the event`);
      }
    }
    t.end();
  });
}

t.test('blanking - a segment that a family reads declares its fields', async (t) => {
  // PTH is left out with a remark; of RGS its action alone is read, for the resources behind it.
  const without = allFamilies.flatMap((family) =>
    [...fieldsRead(family)].filter(([, fields]) => fields.length === 0).map(([name]) => name),
  );
  t.same([...new Set(without)].sort(), ['PTH', 'RGS']);
});

const skip = corpusPresent() ? false : 'corpus not present (HILUM_CORPUS)';

t.test('blanking corpus - every field that is read is declared and changes the event', { skip }, (t) => {
  const families = new Map(allFamilies.map((family) => [`hl7v2/${family.name}`, fieldsRead(family)]));
  let blankedFields = 0;
  const unchanged: string[] = [];
  const undeclared = new Set<string>();
  for (const file of corpusFiles()) {
    if (isDocument(file)) continue;
    const messages = split(readFileSync(join(corpusFolder, file))).messages.slice(0, messagesMax);
    for (const message of messages) {
      const reads: Segment[] = [];
      const fields: number[] = [];
      const { events } = normalizeHl7v2(message, context, (segment, field) => {
        reads.push(segment);
        fields.push(field);
      });
      const declared = families.get(events[0]?.provenance?.rules[0] ?? '');
      if (declared === undefined) continue;
      const whole = JSON.stringify(events.map((event) => ClinicalEvent.toJSON(event)));
      const done = new Set<string>();
      reads.forEach((segment, index) => {
        const field = fields[index] ?? 0;
        const place = `${segment.name}-${field}`;
        const key = `${segment.line} ${place}`;
        if (done.has(key)) return;
        done.add(key);
        if (!(declared.get(segment.name)?.includes(field) ?? false)) {
          if (!aside.has(place)) undeclared.add(place);
          return;
        }
        if (segment.name === 'MSH' || excused(segment, field)) return;
        const without = Buffer.concat([
          segment.message.bytes.subarray(0, segment.start(field)),
          segment.message.bytes.subarray(segment.end(field)),
        ]);
        blankedFields++;
        if (shown(without) === whole) unchanged.push(`${file} line ${segment.line} ${place}`);
      });
    }
  }
  t.same([...undeclared], [], 'nothing is read that is not declared');
  t.same(unchanged, [], 'every blanked field changes its event');
  t.ok(blankedFields > 5000, `${blankedFields} fields were blanked`);
  t.end();
});

function excused(segment: Segment, field: number): boolean {
  const { message, name } = segment;
  const said = segment.whole(field);
  // Only separators: `^^^` says nothing.
  if (/^[^\p{L}\p{N}]*$/u.test(said)) return true;
  const here = `${name}-${field}`;
  const also = (other: string, number: number, same: boolean): boolean =>
    message.segments.some(
      (one) => one.name === other && (same ? one.whole(number) === said : one.has(number)),
    );
  switch (here) {
    case 'ORC-2': // the same number in ORC and OBR is said twice
    case 'ORC-3':
      return also('OBR', field, true);
    case 'OBR-2':
    case 'OBR-3':
      return also('ORC', field, true);
    case 'OBR-7': // without it the first OBX-14 speaks, else SPM-17, and may say the same
      return also('OBX', 14, true) || also('SPM', 17, true);
    case 'OBR-5': // the old priority; OBR-27.6 and TQ1-9 win
      return also('OBR', 27, false) || also('TQ1', 9, false);
    case 'ORC-33': // the same number in ORC and OBR is said twice
      return also('OBR', 53, true);
    case 'OBR-53':
      return also('ORC', 33, true);
    case 'OBR-14': // the same time in OBR and SPM is said twice
      return also('SPM', 18, true);
    case 'SPM-18':
      return also('OBR', 14, true);
    case 'OBR-29': // the same parent in ORC and OBR is said twice
      return also('ORC', 8, true);
    case 'ORC-8':
      return also('OBR', 29, true);
    case 'SCH-9': // the same duration stands in SCH-11.3
      return segment.text(11, 1, 3) === said;
    case 'SCH-11': // TQ1 is what follows SCH-11 from 2.5 on
      return also('TQ1', 7, false);
    case 'AIS-2': // the same action of the group and of its resource is said twice
    case 'AIG-2':
    case 'AIL-2':
    case 'AIP-2':
      return also('RGS', 2, true);
    case 'PD1-4': // XCN with nothing but the type of a number that is not there
      return /^\^+[A-Z]{2,4}$/.test(said);
    case 'PID-5': // XPN with nothing but its representation code (component 8)
      return /^[~^]+[A-Z]$/.test(said);
    case 'OBX-17': // the name of a coding system without a code
      return said.startsWith('^^');
    default:
      return false;
  }
}

function shown(raw: Uint8Array): string {
  return JSON.stringify(normalizeHl7v2(raw, context).events.map((event) => ClinicalEvent.toJSON(event)));
}

/** A message of the family with one segment whose declared fields are all filled, each differently. */
function synthetic(family: Family, name: string, fields: number[]): Buffer {
  const type = typeOf[family.name] ?? '';
  const profile = family.name === 'oru-device' ? '|||||||||IHE PCD-01' : '';
  const lines = [`MSH|^~\\&|A|B|C|D|20260101||${type}|1|P|2.6${profile}`];
  if (name !== 'PID' && name !== 'MFI') lines.push('PID|1||4711');
  if (
    ['OBX', 'TQ1', 'SPM', 'SAC', 'TCD', 'SID', 'INV', 'RXR', 'RXC'].includes(name) &&
    family.segments.has('ORC')
  )
    lines.push('ORC|NW|1');
  if (family.name === 'mfn') lines.push(name === 'MFI' ? 'MFE|MAD' : 'MFI|CDM');
  if (family.name === 'mfn' && name === 'NTE') lines.push('MFE|MAD');
  if (['PRT', 'ROL'].includes(name)) lines.push('PV1|1|I');
  const cells: string[] = [name];
  for (const field of fields) {
    const day = String(1 + (field % 28)).padStart(2, '0');
    const month = String(1 + Math.floor(field / 28)).padStart(2, '0');
    cells[field] = name === 'OBX' && field === 2 ? 'ST' : `2026${month}${day}`;
    // TQ: the start is its fourth component, and only that and the end are read.
    if (name === 'SCH' && field === 11) cells[field] = `^^^${cells[field]}`;
  }
  lines.push(Array.from(cells, (cell) => cell ?? '').join('|'));
  return Buffer.from(lines.join('\r'));
}

function blanked(raw: Buffer, name: string, field: number): Buffer {
  const lines = raw.toString().split('\r');
  const cells = (lines.at(-1) ?? '').split('|');
  if (cells[0] !== name) throw new Error(`the last segment is not ${name}`);
  cells[field] = '';
  lines[lines.length - 1] = cells.join('|');
  return Buffer.from(lines.join('\r'));
}
