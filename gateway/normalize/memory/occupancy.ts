/**
 * Device ↔ patient by the bed: for a device event that names nobody, whoever lies in the device's bed is a
 * candidate, with basis and age, never the patient. It stays `unassigned` where two could be meant, where the
 * patient is on leave or a planned movement is overdue, where it was measured before the stay in the bed began, and past the age limit.
 */
import type { ClinicalEvent, Location } from '../../../proto/gen/hilum/v1/event.ts';
import { suggestOccupant } from '../association.ts';
import { bedNeeds, bedText, occupantsOf, sameFacility } from './bed.ts';
import { endsOf, historyRow, lookIn, reachFrom } from './identity-history.ts';
import { idText } from './identity-steps.ts';
import type { MemoryRule, Need } from './memory.ts';
import { millisecondsOf } from './newness.ts';

export const occupancy: MemoryRule = {
  name: 'occupancy',
  needs: (event): readonly Need[] => bedNeeds(placeOf(event)),
  /** Whom the occupants have been merged into. */
  follow(event, _about, recall): readonly Need[] {
    const ids = occupantsOf(bedText(placeOf(event)), recall).flatMap(({ patient }) => patient.map(idText));
    return reachFrom(ids, lookIn(recall)).map((text) => ({ kind: historyRow, text }));
  },
  apply(event, about, recall) {
    const place = placeOf(event);
    const limits = about.enrichment;
    if (place === undefined || limits === undefined) return;
    const occupants = occupantsOf(bedText(place), recall).filter(({ location }) =>
      sameFacility(location, place),
    );
    const [occupant] = occupants;
    if (occupant === undefined) return;
    if (occupants.length > 1) {
      event.provenance?.remarks.push('device: more than one patient is said to lie in its bed');
      return;
    }
    if (occupant.away) {
      event.provenance?.remarks.push('device: the patient of its bed is on leave');
      return;
    }
    const capturedMs = Number(about.capturedAtUs / 1000n);
    const atMs = millisecondsOf(event.times?.observed) ?? capturedMs;
    if (occupant.dueMs > 0 && atMs > occupant.dueMs) {
      event.provenance?.remarks.push('device: the patient of its bed was to have left by now');
      return;
    }
    const { location, since, from } = occupant;
    if (location === undefined || from === undefined || atMs < (millisecondsOf(since) ?? 0)) return;
    if (capturedMs / 1000 - from.capturedS > limits.encounterS) return;
    const toldAtUs = BigInt(from.capturedS) * 1_000_000n;
    const patient = endsOf(occupant.patient, lookIn(recall));
    suggestOccupant(event, { patient, location, toldAtUs, since }, about.capturedAtUs);
    event.provenance?.rules.push('memory/occupancy');
  },
};

/** Where a device that nobody was named for stands: as the config declares it, else as it says itself. */
function placeOf({ deviceAssociation, device, encounter }: ClinicalEvent): Location | undefined {
  if (deviceAssociation?.basis !== 'unassigned') return undefined;
  return [deviceAssociation.location, device?.location, encounter?.location].find(
    (one) => bedText(one) !== undefined,
  );
}
