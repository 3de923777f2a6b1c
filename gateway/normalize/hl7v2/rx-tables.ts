/** RXO, RXE, RXD, RXG, RXA, RXR and RXC [HL7 4A.4]. */
import type {
  Address,
  ClinicalTime,
  Code,
  Immunization,
  Ingredient,
  Location,
  Medication,
} from '../../../proto/gen/hilum/v1/event.ts';
import { address, addressOfLocation } from './addresses.ts';
import { time, times, timings } from './clock.ts';
import { code, codes, unitIn, unitText } from './coded.ts';
import { ei } from './identified.ts';
import { rxv } from './infusion.ts';
import type { Segment } from './message.ts';
import { location, locationOf, locationOfAddress, participants, participantsByType } from './people.ts';
import { asSent, eachAsSent, type Table, word, words } from './table.ts';

/** Every repetition as sent, and by its code and text. */
function instructed(to: Medication, segment: Segment, field: number): void {
  to.instructions.push(...eachAsSent(segment, field));
  to.instructionCodes.push(...codes(segment, field));
}

/** `unit` gets the unit's code, else its text; `unitCode` every coding of it. */
function unit<N extends string>(name: N) {
  type Target = { [K in N]: string } & { [K in `${N}Code`]?: Code | undefined };
  return (to: Target, segment: Segment, field: number): void => {
    const found = unitIn(segment, field);
    if (found === undefined) return;
    Object.assign(to, { [name]: unitText(found), [`${name}Code`]: found });
  };
}

/** A dose may be of several lots [CDC IG 2.3.1 RXA-15]. */
function lots(to: { lotNumber: string; furtherLotNumbers: string[] }, segment: Segment, field: number): void {
  const [first = '', ...others] = words(segment, field);
  to.lotNumber = first;
  to.furtherLotNumbers = others;
}

function indications(to: Medication, segment: Segment, field: number): void {
  const [first, ...others] = codes(segment, field);
  to.indication = first;
  to.furtherIndications = others;
}

/** Of each lot, in their order. */
function expiries(
  to: { expires?: ClinicalTime | undefined; furtherExpires: ClinicalTime[] },
  segment: Segment,
  field: number,
): void {
  const [first, ...others] = times(segment, field);
  to.expires = first;
  to.furtherExpires = others;
}

/** Since 2.7 the address is in RXA-28; where RXA-11 is still sent, that one counts. */
function addressOf(to: { locationAddress?: Address | undefined }, segment: Segment, field: number): void {
  to.locationAddress ??= address(segment, field);
}

/** XCN.13 of RXA-10 in the CDC's guide to 2.3.1: who vaccinated, ordered and recorded. */
const personTypes = { VEI: 'administering', OEI: 'ordering', REI: 'entering' };

export const rxo: Table<Medication> = [
  [1, 'code', code],
  [2, 'amountMinimum', word],
  [3, 'amountMaximum', word],
  [4, unit('unit')],
  [5, 'dosageForm', code],
  [6, instructed],
  [7, instructed],
  [8, 'deliverTo', location],
  [9, 'substitution', word],
  [10, 'dispenseCode', code],
  [11, 'dispenseAmount', word],
  [12, unit('dispenseUnit')],
  [13, 'refills', word],
  [14, 'participants', participants('ordering')],
  [15, 'participants', participants('verifying')],
  [16, 'needsReview', word],
  [17, 'per', word],
  [18, 'strength', word],
  [19, unit('strengthUnit')],
  [20, indications],
  [21, 'rate', word],
  [22, unit('rateUnit')],
  [23, 'totalDailyDose', asSent],
  [24, 'supplementaryCodes', codes],
  [25, 'strengthVolume', word],
  [26, unit('strengthVolumeUnit')],
  [27, 'pharmacyOrderType', word],
];

export const rxe: Table<Medication> = [
  [1, 'timing', timings],
  [2, 'code', code],
  [3, 'amountMinimum', word],
  [4, 'amountMaximum', word],
  [5, unit('unit')],
  [6, 'dosageForm', code],
  [7, instructed],
  [8, 'deliverTo', location],
  [9, 'substitution', word],
  [10, 'dispenseAmount', word],
  [11, unit('dispenseUnit')],
  [12, 'refills', word],
  [13, 'participants', participants('ordering')],
  [14, 'participants', participants('verifying')],
  [15, 'prescription', ei()],
  [16, 'refillsRemaining', word],
  [17, 'refillsDispensed', word],
  [18, 'lastDispensed', time],
  [19, 'totalDailyDose', asSent],
  [20, 'needsReview', word],
  [21, instructed],
  [22, 'per', word],
  [23, 'rate', word],
  [24, unit('rateUnit')],
  [25, 'strength', word],
  [26, unit('strengthUnit')],
  [27, indications],
  [31, 'supplementaryCodes', codes],
  [32, 'originallyOrdered', time],
  [33, 'strengthVolume', word],
  [34, unit('strengthVolumeUnit')],
  [35, 'controlledSchedule', word],
  [40, 'pharmacy', code],
  [44, 'pharmacyOrderType', word],
];

export const rxd: Table<Medication> = [
  [1, 'administrationNumber', word],
  [2, 'code', code],
  [3, 'dispensed', time],
  [4, 'dispenseAmount', word],
  [5, unit('dispenseUnit')],
  [6, 'dosageForm', code],
  [7, 'prescription', ei()],
  [8, 'refillsRemaining', word],
  [9, instructed],
  [10, 'participants', participants('dispensing')],
  [11, 'substitution', word],
  [12, 'totalDailyDose', asSent],
  [13, 'deliverTo', location],
  [14, 'needsReview', word],
  [15, instructed],
  [16, 'strength', word],
  [17, unit('strengthUnit')],
  [18, lots],
  [19, expiries],
  [20, 'manufacturers', codes],
  [21, indications],
  [25, 'supplementaryCodes', codes],
  [28, 'strengthVolume', word],
  [29, unit('strengthVolumeUnit')],
  [32, 'pharmacyOrderType', word],
  [33, 'dispenseType', code],
];

export const rxg: Table<Medication> = [
  [1, 'giveNumber', word],
  [3, 'timing', timings],
  [4, 'code', code],
  [5, 'amountMinimum', word],
  [6, 'amountMaximum', word],
  [7, unit('unit')],
  [8, 'dosageForm', code],
  [9, instructed],
  [10, 'substitution', word],
  [11, 'deliverTo', location],
  [12, 'needsReview', word],
  [13, instructed],
  [14, 'per', word],
  [15, 'rate', word],
  [16, unit('rateUnit')],
  [17, 'strength', word],
  [18, unit('strengthUnit')],
  [19, lots],
  [20, expiries],
  [21, 'manufacturers', codes],
  [22, indications],
  [23, 'strengthVolume', word],
  [24, unit('strengthVolumeUnit')],
  [26, 'pharmacyOrderType', word],
];

export const rxaGiven: Table<Medication> = [
  [1, 'giveNumber', word],
  [2, 'administrationNumber', word],
  [3, 'administered', time],
  [4, 'administeredEnd', time],
  [5, 'code', code],
  [6, 'amountMinimum', word],
  [7, unit('unit')],
  [8, 'dosageForm', code],
  [9, instructed],
  [10, 'participants', participants('administering')],
  [11, 'location', locationOfAddress],
  [11, 'locationAddress', addressOfLocation],
  [12, 'per', word],
  [13, 'strength', word],
  [14, unit('strengthUnit')],
  [15, lots],
  [16, expiries],
  [17, 'manufacturers', codes],
  [18, 'refusalReasons', codes],
  [19, indications],
  [20, 'completionStatus', word],
  [21, 'action', word],
  [22, 'recorded', time],
  [23, 'strengthVolume', word],
  [24, unit('strengthVolumeUnit')],
  [26, 'pharmacyOrderType', word],
  [28, addressOf],
];

/** RXA as a vaccination [CDC IG for immunization messaging]. */
export const rxaVaccine: Table<Immunization> = [
  [2, 'doseNumber', word],
  [3, 'administered', time],
  [5, 'vaccine', code],
  [6, 'doseAmount', word],
  [7, unit('doseUnit')],
  [9, 'informationSource', codes],
  [10, 'participants', participantsByType('administering', personTypes)],
  [11, 'location', locationOfAddress],
  [11, 'locationAddress', addressOfLocation],
  [15, lots],
  [16, expiries],
  [17, 'manufacturer', code],
  [18, 'refusalReasons', codes],
  [19, 'indications', codes],
  [20, 'completionStatus', word],
  [21, 'action', word],
  [22, 'recorded', time],
  [28, addressOf],
];

export const rxrGiven: Table<Medication> = [
  [1, 'routes', codes],
  [2, 'sites', codes],
  [3, 'devices', codes],
  [4, 'methods', codes],
  [5, 'routing', codes],
  [6, 'siteModifiers', codes],
];

export const rxrVaccine: Table<Immunization> = [
  [1, 'route', code],
  [2, 'site', code],
];

export const rxc: Table<Medication> = [[2, 'components', codes]];

/** One component of a mixture, with its amount. */
export const rxcPart: Table<Ingredient> = [
  [1, 'type', word],
  [2, 'code', code],
  [3, 'amount', word],
  [4, unit('unit')],
  [5, 'strength', word],
  [6, unit('strengthUnit')],
  [7, 'supplementaryCodes', codes],
  [8, 'strengthVolume', word],
  [9, unit('strengthVolumeUnit')],
];

/** Since 2.7 the place is in RXA-27; where RXA-11 is still sent, that one counts [HL7 4A.4.7]. */
export function placeOf(segment: Segment): Location | undefined {
  return segment.has(27) ? locationOf(segment.parts(27), segment, 27) : undefined;
}

export const rxTables = { RXO: rxo, RXE: rxe, RXD: rxd, RXG: rxg, RXC: [...rxc, ...rxcPart], RXV: rxv };
export const administeredTables = { RXA: rxaGiven, RXR: rxrGiven };
export const vaccineTables = { RXA: rxaVaccine, RXR: rxrVaccine };
