/**
 * Whose a result is, by what its specimen is used for [HL7 table 0369]: of a control, a calibrator or a sample that
 * tests the laboratory it says nothing of a patient, whoever stands in PID. Pure; both ends run it.
 */
import type { Code, Order, Specimen } from './gen/hilum/v1/event.ts';
import { inTable, isOfTable } from './hl7-table.ts';

/** Blind sample, calibrator, electronic control, proficiency of the filler, of the operator, control, verifying calibrator. */
const ofNobody = new Set(['B', 'C', 'E', 'F', 'O', 'Q', 'V']);

/**
 * A role that is unknown, or said in a system of the sender's own, takes nothing from a patient; neither does a bare
 * letter, but for Q: a B may be blood and a C capillary, where somebody wrote that here.
 */
export function isOfPatient({ roles }: Pick<Specimen, 'roles'>): boolean {
  const said = roles.map(roleOf);
  return said.includes('P') || !said.some((one) => ofNobody.has(one));
}

/** Of several specimens one that may be a patient's is enough. */
export function tellsOfPatient(order: Order | undefined): boolean {
  if (order?.specimen === undefined) return true;
  return isOfPatient(order.specimen) || order.furtherSpecimens.some(isOfPatient);
}

/** In table 0369, or without a system where that leaves no doubt. */
function roleOf(from: Code): string {
  const one = inTable(from, '0369');
  if (one === undefined) return '';
  const letter = one.code.trim().toUpperCase();
  if (isOfTable(one, '0369') || one.name.endsWith('0369')) return letter;
  return one.name === '' && (letter === 'P' || letter === 'Q') ? letter : '';
}
