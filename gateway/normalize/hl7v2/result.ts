/** OBX: one result [HL7 7.4.2]. */
import type { Observation } from '../../../proto/gen/hilum/v1/event.ts';
import { codeInTable } from '../../../proto/hl7-table.ts';
import { identifier } from '../identity.ts';
import { upper } from '../text.ts';
import { address } from './addresses.ts';
import { time } from './clock.ts';
import { code, codes, oneCode, said, textOf, unitIn, unitText } from './coded.ts';
import type { Draft } from './draft.ts';
import { flags } from './flags.ts';
import { ei, eiOrEip, equipment, organizationOf } from './identified.ts';
import type { Segment } from './message.ts';
import { severalUnits } from './own-units.ts';
import { participants } from './people.ts';
import { furtherUnread, place, remark, unread } from './scope.ts';
import { isDeleted, resultStatus } from './status.ts';
import { asSent, type Table, word } from './table.ts';
import { observedValue } from './value.ts';

// Most of a result message is OBX: what nearly each of them has is assigned by name, which the engine does
// several times faster than by key.
export const obx: Table<Observation> = [
  [
    1,
    (to, segment, field) => {
      to.setId = word(segment, field);
    },
  ],
  [
    2,
    (to, segment, field) => {
      to.valueType = upper(segment.text(field));
    },
  ],
  [
    3,
    (to, segment, field) => {
      to.code = oneCode(segment, field);
    },
  ],
  [
    4,
    (to, segment, field) => {
      to.subId = asSent(segment, field);
    },
  ],
  [5, observedValue],
  [
    6,
    (to, segment, field) => {
      const ofValue = to.unit;
      const parts = segment.parts(field);
      to.unitCode = unitIn(segment, field, parts);
      to.unit = unitText(to.unitCode);
      if (ofValue !== '' && ofValue !== to.unit)
        remark(
          segment.message.scope,
          `${place(segment, field)}: another unit than that in OBX-5, and stands`,
        );
      if (parts.end < segment.end(field) && segment.repeats(field)) severalUnits(to, segment, field);
    },
  ],
  [
    7,
    (to, segment, field) => {
      to.referenceRange = asSent(segment, field);
    },
  ],
  [8, flags],
  [9, 'probability', word],
  [10, 'natureOfAbnormalTest', asSent],
  [
    11,
    (to, segment, field) => {
      to.resultStatus = segment.text(field);
      const known = resultStatus[upper(to.resultStatus)];
      to.status = known ?? 'unknown';
      if (known === undefined && to.resultStatus !== '')
        remark(segment.message.scope, `${place(segment, field)}: not a code of table 0085, it is no status`);
    },
  ],
  [12, 'referenceRangeEffective', time],
  [13, 'accessChecks', asSent],
  [
    14,
    (to, segment, field) => {
      to.effective = time(segment, field);
    },
  ],
  [15, (to, segment, field) => producer(to, segment, field)],
  [16, 'performers', participants('performing')],
  [17, 'methods', codes],
  [18, 'equipment', equipment],
  [19, 'analyzed', time],
  [20, 'bodySites', codes],
  [21, 'identifier', (segment, field) => ei()(segment, field)],
  [22, (to, segment, field) => mood(to, segment, field)],
  [
    23,
    (to, segment, field) => {
      // XON: 1 name, 6 authority, 10 the organization's identifier [HL7 2.A.87].
      const parts = segment.parts(field);
      to.performingOrganization = parts.text(1) || to.performingOrganization;
      furtherUnread(segment, field, parts.end);
      const { identifiers = [], nameType } = organizationOf(parts, segment, field) ?? {};
      if (nameType !== undefined) unread(segment, `${field}.2`);
      to.performingOrganizationIdentifiers.push(...identifiers);
    },
  ],
  [24, 'performingOrganizationAddress', (segment, field) => address(segment, field)],
  [25, 'performers', participants('performing')],
  [26, 'release', code],
  [27, 'rootCause', code],
  [28, 'processControl', codes],
  [29, 'type', word],
  [30, 'subType', word],
  [
    31,
    (to, segment, field) => {
      to.action = word(segment, field);
      // Whatever OBX-11 says: that is how the result stood before [HL7 2.9 7.4.2.31].
      if (isDeleted(to.action)) to.status = resultStatus.D ?? '';
    },
  ],
  [32, 'valueAbsentReason', code],
  [33, 'specimenIdentifier', eiOrEip],
];

/** HL7 table 0725: whatever is not an event has not been found; OBX-11 says then how sure the goal or the request is. */
function mood(to: Observation, segment: Segment, field: number): void {
  const said = code(segment, field);
  const word = upper(codeInTable(said, '0725'));
  if (word === '' || word === 'EVN') return;
  to.mood = said;
  to.status = 'unknown';
  remark(segment.message.scope, `${place(segment, field)}: a goal, a request or the like, and no finding`);
}

/** OBX-15: the producer as a code of its own. */
function producer(to: Observation, segment: Segment, field: number): void {
  const found = code(segment, field);
  if (found === undefined) return;
  // OBX-23 names the organization in full and wins; the producer's code stays beside it.
  to.performingOrganization = textOf(found);
  const [coding, ...others] = found.codings;
  if (others.some(({ mapped }) => !mapped)) unread(segment, `${field}.4`);
  if (coding === undefined) return;
  const id = identifier(coding.code, '', coding.system);
  id.assigner = coding.name;
  to.performingOrganizationIdentifiers.push(id);
}

/** A row behind a problem or a goal is of that one; whether a goal's is its target or was found only OBX-22 can say. */
export function ofListed({ ofCondition, current, message }: Draft, row: Observation, segment: Segment): void {
  row.ofCondition = ofCondition;
  const { type } = current.conditions[Number(/\d+/.exec(ofCondition)?.[0])] ?? {};
  if (type !== 'goal' || segment.has(22)) return;
  row.mood = said('of a goal');
  row.status = 'unknown';
  remark(
    message.scope,
    'OBX-22: empty behind a GOL, so that nobody knows whether it was found or is aimed at',
  );
}
