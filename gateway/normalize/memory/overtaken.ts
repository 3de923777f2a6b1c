/**
 * An event that arrives behind one which replaces it: a correction is of class STAT and its first report waits in the
 * routine lane. Its gateway could not say so when it made it; whoever reads the log in its order must not put the
 * older state over the newer one. Told in the words that the memory of status uses [status.ts].
 */
import type {
  ClinicalEvent,
  Observation,
  RecordPosition,
  Supersession,
} from '../../../proto/gen/hilum/v1/event.ts';
import { instantOf } from '../instant.ts';
import { samePosition } from './identity-history.ts';
import { isAnotherMoment, statusOf } from './newness.ts';
import { sameNumbers } from './order-texts.ts';
import { isFinding, type KnownTimes, resultKeys } from './result-keys.ts';
import { overrules } from './transitions.ts';
import { isNamed, namesOf } from './which-order.ts';

/**
 * Marks what `by` replaces of this event of that record.
 * @param by arrived before it, and names the record among what it replaces
 */
export function markOvertaken(event: ClinicalEvent, record: RecordPosition, by: ClinicalEvent): void {
  const replaced = by.supersessions.filter(
    ({ thisIsSuperseded, record: of }) =>
      !thisIsSuperseded && of?.epoch === record.epoch && of.sequence === record.sequence,
  );
  // Under `once` another feed's order has numbers of its own.
  if (!replaced.some(({ decidedBy }) => decidedBy === 'once') && !isSameOrder(event, by)) return;
  const ofOrder = replaced.find(({ what }) => what === 'order');
  const results = event.kind === 'observation' ? event.observations : [];
  const keys = resultKeys(by.observations);
  let marked = false;
  const mark = (
    what: string,
    status: string,
    toStatus: string,
    { decidedBy }: Pick<Supersession, 'decidedBy'>,
  ) => {
    marked = true;
    event.supersessions.push({
      ...{ what, record: by.provenance?.record, status, toStatus, decidedBy },
      ...{ thisIsSuperseded: true, statusFlag: '' },
    });
  };
  if (ofOrder !== undefined && !event.superseded) mark('order', by.status, event.status, ofOrder);
  for (const [at, key] of resultKeys(event.observations, timesOf(by, keys)).entries()) {
    const result = results[at];
    if (key === undefined || result === undefined || result.superseded) continue;
    const place = keys.indexOf(key);
    const newer = by.observations[place];
    const own = replaced.find(({ what }) => what === `observations[${place}]`);
    const status = statusOf(event, result);
    const why =
      newer === undefined
        ? ofOrder !== undefined && overrules(by.status, status) && { decidedBy: 'order' }
        : (own ?? (!newer.superseded && ofOrder));
    if (!why || (newer !== undefined && isOfAnother(event, result, { record, by, newer }))) continue;
    result.superseded = true;
    mark(`observations[${at}]`, newer === undefined ? by.status : statusOf(by, newer), status, why);
  }
  if (!marked) return;
  const found = results.filter(isFinding);
  event.superseded = found.length > 0 ? found.every(({ superseded }) => superseded) : ofOrder !== undefined;
  event.provenance?.rules.push('centre/status');
}

function isSameOrder(a: ClinicalEvent, b: ClinicalEvent): boolean {
  const [name = ''] = namesOf(a);
  return isNamed(name, namesOf(b)) && a.kind === b.kind && sameNumbers(a, b);
}

function timesOf({ observations, times }: ClinicalEvent, keys: readonly (string | undefined)[]): KnownTimes {
  return new Map(
    observations.flatMap(({ effective }, at) => {
      const key = keys[at];
      return key === undefined ? [] : [[key, (effective ?? times?.observed)?.value ?? '']];
    }),
  );
}

/** A result of another time, as in the memory of status [status.ts]: what `by` said before tells which one it is about. */
function isOfAnother(
  event: ClinicalEvent,
  result: Observation,
  { record, by, newer }: { record: RecordPosition; by: ClinicalEvent; newer: Observation },
): boolean {
  const [time, newerTime] = [
    result.effective ?? event.times?.observed,
    newer.effective ?? by.times?.observed,
  ];
  // Read again under another zone it is the same time: what the clock showed counts where nobody said which zone.
  const isClock = time?.assumed !== '';
  const momentOf = (text = '') => momentIn(isClock ? text.replace(zoneOfTime, '') : text);
  const [own, other] = [momentOf(time?.value), momentOf(newerTime?.value)];
  if (!isAnotherMoment(own, other)) return false;
  const before = newer.previous.filter(({ otherOrder }) => !otherOrder);
  const replaced = before.find(({ record: of }) => samePosition(of, record));
  if (replaced !== undefined) return isAnotherMoment(own, momentOf(replaced.effective));
  const isFinal = [statusOf(event, result), statusOf(by, newer)].every((status) => status === 'final');
  return isFinal || before.some(({ effective }) => !isAnotherMoment(other, momentOf(effective)));
}

const zoneOfTime = /(?:Z|[+-]\d\d:\d\d)$/;

/** 0 where there is none, or only its day. */
function momentIn(text: string): number {
  if (!text.includes('T')) return 0;
  return instantOf(zoneOfTime.test(text) ? text : `${text}Z`) || 0;
}
