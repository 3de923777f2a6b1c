/** SPM, SAC and OBR-15: what was taken from the patient [HL7 7.4.3, 13.4.3]. */
import type {
  ClinicalEvent,
  Code,
  Coding,
  Container,
  Order,
  Specimen,
} from '../../../proto/gen/hilum/v1/event.ts';
import { isSystemName } from '../codes.ts';
import { sameNumber } from '../identity.ts';
import { upper } from '../text.ts';
import { period, span, time } from './clock.ts';
import { code, codeOf, codes, textOf, unitIn, unitText } from './coded.ts';
import { cxs, ei, eips, eis, typed } from './identified.ts';
import type { Segment } from './message.ts';
import { sn } from './numeric.ts';
import { Parts } from './parts.ts';
import { remark } from './scope.ts';
import { fresh } from './shapes.ts';
import { asSent, fill, type Row, type Table, word, words } from './table.ts';

export const spm: Table<Specimen> = [
  [2, 'identifiers', (segment, field) => eips(segment, field)],
  [3, 'parents', (segment, field) => eips(segment, field)],
  [4, 'type', code],
  [5, 'typeModifiers', codes],
  [6, 'additives', codes],
  [7, 'collectionMethod', code],
  [8, 'sourceSite', code],
  [9, 'siteModifiers', codes],
  [10, 'collectionLocation', code],
  [11, 'roles', codes],
  [
    12,
    (to, segment, field) => {
      to.quantity = segment.text(field);
      to.unitCode = codeOf(segment.parts(field).sub(2));
      to.unit = unitText(to.unitCode);
    },
  ],
  [13, 'groupedCount', word],
  [14, 'description', (segment, field) => words(segment, field).join('\n')],
  [15, 'handling', codes],
  [16, 'risks', codes],
  [17, 'collected', (segment, field) => period(segment, field)],
  [18, 'received', time],
  [19, 'expires', time],
  [20, 'availability', word],
  [21, 'rejectReasons', codes],
  [22, 'quality', code],
  [23, 'appropriateness', code],
  [24, 'conditions', codes],
  [
    25,
    (to, segment, field) => {
      to.currentQuantity = segment.text(field);
      to.currentUnit = unitText(codeOf(segment.parts(field).sub(2)));
    },
  ],
  [26, 'containerCount', word],
  [27, 'containerType', code],
  [28, 'containerCondition', code],
  [29, 'childRole', code],
  [30, 'identifiers', typed('ACSN')],
  [31, 'identifiers', cxs],
  [32, 'shipment', ei()],
  [
    33,
    (to, segment, field) => {
      to.culture = span(time(segment, field), to.culture?.end);
    },
  ],
  [
    34,
    (to, segment, field) => {
      to.culture = span(to.culture?.start, time(segment, field));
    },
  ],
  [35, 'action', word],
];

const container: Table<Container> = [
  [5, 'equipmentNumber', ei()],
  [8, 'status', code],
  [9, 'carrierType', code],
  [10, 'carrier', ei()],
  [11, 'carrierPosition', asSent],
  [12, 'trayType', code],
  [13, 'tray', ei()],
  [14, 'trayPosition', asSent],
  [15, 'locations', codes],
  [21, 'volume', word],
  [22, 'availableVolume', word],
  [23, 'initialVolume', word],
  [24, 'volumeUnit', unitIn],
  [25, 'separator', code],
  [26, 'cap', code],
  [27, 'additives', codes],
  [28, 'component', code],
  [30, 'treatment', code],
  [31, 'temperature', dilution],
  [32, 'hemolysisIndex', word],
  [33, 'hemolysisUnit', unitIn],
  [34, 'lipemiaIndex', word],
  [35, 'lipemiaUnit', unitIn],
  [36, 'icterusIndex', word],
  [37, 'icterusUnit', unitIn],
  [38, 'fibrinIndex', word],
  [39, 'fibrinUnit', unitIn],
  [40, 'contaminants', codes],
  [41, 'drugInterferences', codes],
  [42, 'artificialBlood', code],
  [43, 'handling', codes],
  [44, 'environment', codes],
];

/** What an automated system says of the container goes to it, whichever of its fields there are. */
function ofContainer(row: Row<Container>): Row<Specimen> {
  return [
    row[0],
    (to, segment) => {
      to.container = fill(to.container ?? fresh.container(), [row], segment);
    },
  ];
}

export const sac: Table<Specimen> = [
  [1, 'identifiers', eis('ACSN')],
  [2, 'identifiers', eis('ACSN')],
  [3, 'identifiers', eis('CNTNR')],
  [4, 'identifiers', eis('CNTNR-PRIMARY')],
  // Of the container, at an automated system [HL7 13.4.3.7]: it may stand there long after it was received.
  [7, 'registered', time],
  [29, 'dilution', dilution],
  ...container.map(ofContainer),
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
