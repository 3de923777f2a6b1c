/** Pairs of a message and another converter's Bundle: NAME.hl7 beside NAME.expected.fhir.json. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { projectRoot } from '../kit/paths.ts';
import { testContext } from '../normalize/context.ts';
import { parsed } from './bundle.ts';
import { compared, type Verdict } from './compare.ts';
import { zoneOf } from './equivalences.ts';
import { stated } from './facts.ts';
import { laidOut } from './ours.ts';

export const pairsFolder = join(process.env.HILUM_CORPUS ?? join(projectRoot, '../shared/corpus'), 'pairs');
export const factsPath = join(projectRoot, 'test/conformance/facts.tsv');
export const differencesPath = join(projectRoot, 'test/conformance/differences.tsv');

const ending = '.expected.fhir.json';

/** Names as `folder/NAME`, sorted; folders without such a pair have none. */
export function pairsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).slice(0, -ending.length))
    .filter((name) => existsSync(join(folder, `${name}.hl7`)))
    .sort();
}

export function verdictsOf(folder: string, name: string): Verdict[] {
  const bundle = parsed(readFileSync(join(folder, `${name}${ending}`), 'utf8'));
  const context = testContext({ zone: zoneOf(bundle), zoneOfSource: true });
  const { events } = normalizeHl7v2(readFileSync(join(folder, `${name}.hl7`)), context);
  return compared(stated(bundle), laidOut(events));
}
