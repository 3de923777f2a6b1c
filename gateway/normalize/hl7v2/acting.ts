/**
 * Who and what acts, and in what: PRT and ROL belong to what stands before them [HL7 7.4.4, 15.4.7]. What a result or
 * an order has a field of its own for (OBX-18, OBX-23, ORC-21, before PRT took their place) goes there.
 */
import type {
  Observation,
  Order,
  Organization,
  Participant,
  Patient,
} from '../../../proto/gen/hilum/v1/event.ts';
import { sameNumber } from '../identity.ts';
import { addresses } from './addresses.ts';
import { hasEnded } from './clock.ts';
import type { Draft } from './draft.ts';
import type { Segment } from './message.ts';
import { persons } from './people.ts';
import { fresh } from './shapes.ts';
import { fill } from './table.ts';
import type { Acting, prt } from './visit.ts';

export function act(draft: Draft, segment: Segment, table: typeof prt): void {
  const acting = fill(nobody(), table, segment);
  const { code, role, action, reason, period, participants, devices, telecoms, location, addresses } = acting;
  const [organization, ...further] = acting.organizations;
  if (organization !== undefined) {
    organization.address = addresses[0];
    if (participants.length === 0) organization.telecoms.push(...telecoms);
  }
  const to = draft.acting ?? draft.others;
  const before = to.length;
  const row = draft.lastObservation;
  const ofRow = row !== undefined && row.performers === to ? row : undefined;
  const order = draft.furtherOrder ?? draft.current.order;
  const ofOrder = order !== undefined && order.participants === to ? order : undefined;
  let taken = false;
  if (organization !== undefined && role === 'performing' && ofRow !== undefined)
    taken = performs(ofRow, organization);
  else if (organization !== undefined && code === 'OF' && ofOrder !== undefined)
    taken = orders(ofOrder, organization);
  const measured = code === 'EQUIP' && ofRow !== undefined;
  if (measured) ofRow.equipment.push(...devices);
  const as = {
    action,
    roleCode: acting.roleCode,
    reason,
    period,
    location,
    addresses: organization === undefined ? addresses : [],
  };
  for (const one of participants) to.push({ ...one, ...as, role, telecoms, organization });
  const unnamed = participants.length === 0;
  const named = unnamed && !taken && organization !== undefined ? [organization] : [];
  for (const one of [...named, ...further])
    to.push({ ...fresh.participant(role, undefined), ...as, telecoms, organization: one });
  const others = measured ? [] : devices;
  const alone = unnamed && organization === undefined && !(measured && devices.length > 0);
  if (others.length > 0 || (alone && (role !== '' || telecoms.length > 0)))
    to.push({
      ...fresh.participant(role, undefined),
      ...as,
      devices: others,
      telecoms: alone ? telecoms : [],
    });
  const { patient } = draft.base;
  if (patient?.participants === to) caresFor(patient, to.slice(before), draft.message.scope.day);
}

/** Who has the role now, by what is done with it [ROL-2, HL7 table 0287] and until when it is. */
function caresFor({ generalPractitioners: known }: Patient, named: Participant[], day: string): void {
  for (const { role, person, action, period } of named) {
    const over = action === 'DE' || hasEnded(period?.end?.value ?? '', day);
    if (role !== 'primary-care' || person === undefined || over) continue;
    const isKnown = known.some(({ identifiers }) =>
      identifiers.some((one) => person.identifiers.some((other) => sameNumber(one, other))),
    );
    if (!isKnown) known.push(person);
  }
}

function nobody(): Acting {
  return {
    code: '',
    role: '',
    roleCode: undefined,
    action: '',
    reason: undefined,
    period: undefined,
    organizations: [],
    participants: [],
    devices: [],
    telecoms: [],
    location: undefined,
    addresses: [],
  };
}

/** False where OBX-23 or a PRT before names another one. */
function performs(row: Observation, { name, identifiers, address }: Organization): boolean {
  const known = row.performingOrganization;
  if (known !== '' && known !== name) return false;
  row.performingOrganization = name;
  for (const one of identifiers)
    if (!row.performingOrganizationIdentifiers.some((other) => sameNumber(one, other)))
      row.performingOrganizationIdentifiers.push(one);
  row.performingOrganizationAddress ??= address;
  return true;
}

/** False where ORC-21 or a PRT before names another one. */
function orders(order: Order, facility: Organization): boolean {
  const known = order.orderingFacility;
  if (known === undefined) order.orderingFacility = facility;
  return known === undefined || known.name === facility.name;
}

/** ORC-24 is of whom ORC-12 names. Of several nobody knows whose it is: then it stands by itself, in their role. */
export function whereOrdererIs(order: Order, segment: Segment, field: number): void {
  const found = addresses(segment, field);
  if (found.length === 0) return;
  const alone = persons(segment, 12).length === 1;
  const orderer = alone ? order.participants.findLast(({ role }) => role === 'ordering') : undefined;
  if (orderer !== undefined) orderer.addresses.push(...found);
  else order.participants.push({ ...fresh.participant('ordering', undefined), addresses: found });
}
