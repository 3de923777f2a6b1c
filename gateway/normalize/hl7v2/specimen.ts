/** SPM, SAC and OBR-15: what was taken from the patient [HL7 7.4.3, 13.4.3]. */
import type { ClinicalEvent, Code, Coding, Order, Specimen } from '../../../proto/gen/hilum/v1/event.ts';
import { isSystemName } from '../codes.ts';
import { sameNumber } from '../identity.ts';
import { upper } from '../text.ts';
import { period, time } from './clock.ts';
import { code, codeOf, codes, textOf, unitText } from './coded.ts';
import { cxs, eips, eis, typed } from './identified.ts';
import type { Segment } from './message.ts';
import { sn } from './numeric.ts';
import { Parts } from './parts.ts';
import { remark } from './scope.ts';
import { fresh } from './shapes.ts';
import { fill, type Table, word, words } from './table.ts';

export const spm: Table<Specimen> = [
  [2, 'identifiers', (segment, field) => eips(segment, field)],
  [3, 'parents', (segment, field) => eips(segment, field)],
  [4, 'type', code],
  [5, 'typeModifiers', codes],
  [6, 'additives', codes],
  [7, 'collectionMethod', code],
  [8, 'sourceSite', code],
  [9, 'siteModifiers', codes],
  [11, 'roles', codes],
  [
    12,
    (to, segment, field) => {
      to.quantity = segment.text(field);
      to.unit = unitText(codeOf(segment.parts(field).sub(2)));
    },
  ],
  [14, 'description', (segment, field) => words(segment, field).join('\n')],
  [15, 'handling', codes],
  [16, 'risks', codes],
  [17, 'collected', (segment, field) => period(segment, field)],
  [18, 'received', time],
  [20, 'availability', word],
  [21, 'rejectReasons', codes],
  [22, 'quality', code],
  [23, 'appropriateness', code],
  [24, 'conditions', codes],
  [27, 'containerType', code],
  [30, 'identifiers', typed('ACSN')],
  [31, 'identifiers', cxs],
];

export const sac: Table<Specimen> = [
  [2, 'identifiers', eis('ACSN')],
  [3, 'identifiers', eis('CNTNR')],
  [4, 'identifiers', eis('CNTNR-PRIMARY')],
  // Of the container, at an automated system [HL7 13.4.3.7]: it may stand there long after it was received.
  [7, 'registered', time],
  [29, 'dilution', dilution],
];

/** SN as text: 1:10, >2. */
export function dilution(segment: Segment, field: number): string {
  return sn(segment.parts(field));
}

export function specimenOf(order: Order): Specimen {
  order.specimen ??= fresh.specimen();
  return order.specimen;
}

/** A row that names its specimen (OBX-33) is of that one, wherever it stands. */
export function findSpecimens({ order, observations }: ClinicalEvent): void {
  for (const row of observations) {
    const named = row.specimenIdentifier;
    if (named === undefined || order?.specimen === undefined) continue;
    const all = [order.specimen, ...order.furtherSpecimens];
    const at = all.findIndex(({ identifiers }) => identifiers.some((one) => sameNumber(one, named)));
    row.ofSpecimen = at + 1;
  }
}

/**
 * SPS [HL7 2.A.69]: 1 what, 2 what was added, 3 how it was taken, 4 from where, 5 which side, 6 more on how, 7 as what.
 * Many send a code with its text and its system (CE) there, whose text is nothing that was added.
 */
export function specimenSource(order: Order, segment: Segment, field: number): void {
  const parts = segment.parts(field);
  const said = fresh.specimen();
  const codings = codingsAhead(parts);
  if (codings === 0) {
    said.type = codeOf(parts.sub(1));
    addCode(said.additives, codeOf(parts.sub(2)));
    said.description = parts.text(3);
  } else {
    said.type = codeOf(new Parts(parts.message, parts.start, parts.sub(3 * codings).end, parts.separator));
    remark(
      parts.message.scope,
      `${segment.name}-${field}: a code with its system in the place of a source (SPS)`,
    );
  }
  if (codings < 2) {
    said.sourceSite = codeOf(parts.sub(4));
    addCode(said.siteModifiers, codeOf(parts.sub(5)));
    said.collectionMethod = codeOf(parts.sub(6));
  }
  addCode(said.roles, codeOf(parts.sub(7)));
  order.specimen = order.specimen === undefined ? said : joined(order.specimen, said);
}

/** How many codes of three parts it begins with; an SPS has its code in subcomponents, and no system in its third part. */
function codingsAhead(parts: Parts): number {
  if (parts.sub(1).reaches(2) || !isSystemName(parts.text(3))) return 0;
  return isSystemName(parts.text(6)) ? 2 : 1;
}

/** What OBR-14 and OBR-15 said is of the specimen that the order's first SPM describes [HL7 7.4.3]. */
export function describedBy(known: Specimen, segment: Segment): Specimen {
  const specimen = fill(fresh.specimen(), spm, segment);
  const received = specimen.received?.value ?? known.received?.value;
  if (known.received !== undefined && known.received.value !== received)
    remark(segment.message.scope, 'OBR-14: SPM-18 says another time, and stands');
  return joined(specimen, known);
}

/** What `first` says stands; what `second` says otherwise is kept in words. */
function joined(first: Specimen, second: Specimen): Specimen {
  const words: string[] = [];
  const code = (one: Code | undefined, other: Code | undefined): Code | undefined => {
    if (one === undefined || other === undefined) return one ?? other;
    if (sameConcept(one, other))
      return { text: one.text, codings: distinct([...one.codings, ...other.codings]) };
    words.push(textOf(other));
    return one;
  };
  return {
    ...first,
    identifiers: [...first.identifiers, ...second.identifiers],
    type: code(first.type, second.type),
    sourceSite: code(first.sourceSite, second.sourceSite),
    collectionMethod: code(first.collectionMethod, second.collectionMethod),
    additives: [...first.additives, ...second.additives],
    roles: [...first.roles, ...second.roles],
    description: [first.description, second.description, ...words].filter(Boolean).join('\n'),
    received: first.received ?? second.received,
    siteModifiers: distinctCodes([...first.siteModifiers, ...second.siteModifiers]),
  };
}

/** The same code in another table, or the same words. */
function sameConcept(one: Code, other: Code): boolean {
  if (upper(textOf(one)) === upper(textOf(other))) return true;
  return one.codings.some(({ code }) => other.codings.some((coding) => upper(coding.code) === upper(code)));
}

function distinctCodes(codes: readonly Code[]): Code[] {
  return codes.filter((one, at) => codes.findIndex((other) => sameConcept(one, other)) === at);
}

function distinct(codings: readonly Coding[]): Coding[] {
  return codings.filter(
    (one, at) => codings.findIndex(({ system, code }) => system === one.system && code === one.code) === at,
  );
}

function addCode(to: Code[], code: Code | undefined): void {
  if (code !== undefined) to.push(code);
}
