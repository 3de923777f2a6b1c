/** Where an order stands, by its ORC, its OBR and the reply that they may be in [HL7 4.5.1]. */
import type { Order } from '../../../proto/gen/hilum/v1/event.ts';
import { upper } from '../text.ts';
import type { Draft } from './draft.ts';
import { refuses } from './reply.ts';
import { remark, type Scope } from './scope.ts';
import {
  controlOf,
  endingControl,
  orderControl,
  orderStatus,
  reportStatus,
  unknownOrder,
  unknownReport,
} from './status.ts';

/** ORC-1 that a placer sends of an order that is there, and what a filler says of such a request that failed. */
const changing = new Set('CA DC HD RL RP XO SS UC UD UH UM UR UX'.split(' '));

/** ORC-1 that leave it to ORC-5 and OBR-25. */
const open = new Set(['', 'SC', 'SS']);

/** ORC-1 that 2.9 has added; none of them says where the order stands [HL7 table 0119]. */
const silent = new Set('CP RA RC RD RM RS SQ'.split(' '));

/** `carriedOut`: what stands where the order itself says nothing of its end, as of what was dispensed. */
export function orderedStatus(order: Order | undefined, draft: Draft, carriedOut?: string): string {
  const { scope } = draft.message;
  const control = controlOf(order);
  const sent = upper(order?.orderStatus ?? '');
  const said = orderStatus[sent];
  const refused = said === undefined && refuses(draft.reply) ? refusedStatus(control) : undefined;
  if (refused !== undefined) return refused;
  if (endingControl.has(control)) return 'cancelled';
  // It was never taken: nobody had anything to cancel [IHE LAW LAB-28 sends both].
  if (control === 'UA' && said === 'cancelled') return 'rejected';
  if (said !== undefined) return said;
  if (sent !== '') remark(scope, unknownOrder);
  if (carriedOut !== undefined) return carriedOut;
  if (open.has(control)) {
    const reported = sent === '' ? reportedStatus(order, scope) : 'unknown';
    if (reported !== undefined) return reported;
  }
  if (control === '') return answered(order, draft);
  const usual = orderControl[control];
  if (usual !== undefined) return usual;
  remark(
    scope,
    silent.has(control)
      ? 'ORC-1: it does not say where the order stands'
      : 'ORC-1: not a code of table 0119, where the order stands is unknown',
  );
  return 'unknown';
}

/** CA says only that the message is kept; AA of the orders that it does not name stands for all [HL7 2.9.2]. */
function answered(order: Order | undefined, { reply }: Draft): string {
  const answer = upper(reply.acknowledgment);
  if (answer === 'AA') return 'accepted';
  // Only the filler has a number for it: whatever it is, nobody asks for it here.
  if (order?.filler !== undefined && order.placer === undefined) return 'unknown';
  return answer === '' || order !== undefined ? 'requested' : 'unknown';
}

function reportedStatus(order: Order | undefined, scope: Scope): string | undefined {
  const sent = upper(order?.resultStatus ?? '');
  if (sent === '') return undefined;
  const said = reportStatus[sent];
  if (said === undefined) remark(scope, unknownReport(sent, 'it is no status'));
  return said;
}

/**
 * Of a reply that refuses: an order that was asked for is rejected; where an order should have been changed, nobody
 * knows how it stands. Undefined where the reply itself tells (OK, CR, UA …).
 */
function refusedStatus(control: string): string | undefined {
  if (changing.has(control)) return 'unknown';
  const usual = orderControl[control];
  if (endingControl.has(control)) return undefined;
  // What was told to be done, and is only repeated.
  if (control === 'RE') return 'rejected';
  return usual === undefined || usual === 'requested' ? 'rejected' : undefined;
}

/** By MSA-1, unless the order's own ORC-1 takes it over; by ORC-1 whatever MSA-1 says of the other orders. */
export function refusesOrder(order: Order | undefined, { reply }: Draft): boolean {
  if (reply.acknowledgment === '') return false;
  const control = controlOf(order);
  const usual = orderControl[control];
  if (usual === 'rejected') return true;
  return refuses(reply) && (usual !== 'accepted' || changing.has(control));
}
