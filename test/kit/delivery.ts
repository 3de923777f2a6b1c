/**
 * Compares a sender's ledger with what arrived at the far end. Counts come from the sender's fsynced lines
 * and the receiver's raw bytes, never from Hilum's own counters.
 *
 * Words: lost = positively answered and not there. Doubled = there more often than sent as distinct bytes.
 * Altered = there under a control ID that we sent, with bytes that we did not (its original then also counts
 * as lost, unless it came too). Unknown = bytes and control ID that we never sent. Unanswered messages may
 * be there or not: both are right.
 *
 * Order: b before a is a break, for one (source, key, lane), where a was answered before b was first sent,
 * or where both went once, over one connection, a first. A message sent again is free between its first send
 * and its answer, so resends after a cut make no false alarm.
 */
import type { LedgerContent } from './ledger.ts';

export interface Received {
  readonly sha256: string;
  readonly controlId?: string | undefined;
  /** Order is promised inside a lane; give the lane where the receiver knows it. */
  readonly lane?: string | undefined;
  /** Where the receiver put it; without it, the order of iteration counts. */
  readonly position?: bigint | number | undefined;
}

export interface DeliveryOptions {
  /** MLLP: equal bytes sent under several n have one effect. MQTT: two equal readings are two readings. */
  readonly equalBytes?: 'one' | 'each';
  /** Which answers are a promise. */
  readonly isPositive?: (code: string) => boolean;
}

export interface OrderBreak {
  readonly source: string;
  readonly key: string;
  readonly earlier: number;
  readonly later: number;
}

export interface DeliveryReport {
  readonly sent: number;
  readonly received: number;
  readonly answered: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly unansweredButThere: number;
  readonly lost: readonly string[];
  readonly doubled: readonly string[];
  readonly altered: readonly string[];
  readonly unknown: number;
  readonly orderBreaks: readonly OrderBreak[];
}

interface Fate {
  readonly n: number;
  readonly controlId: string;
  readonly sha256: string;
  readonly source: string;
  readonly key: string | undefined;
  readonly connection: string;
  readonly firstSent: number;
  sends: number;
  /** The distinct n that carried these bytes. */
  numbers: Set<number>;
  answeredAt: number;
  refused: boolean;
  there: number;
}

export function checkDelivery(
  ledger: LedgerContent,
  received: Iterable<Received>,
  { equalBytes = 'one', isPositive = isPositiveCode }: DeliveryOptions = {},
): DeliveryReport {
  const fates = fatesOf(ledger, isPositive);
  const controlIds = new Set(ledger.sent.map((entry) => entry.controlId));
  const altered: string[] = [];
  const arrivals: { fate: Fate; lane: string }[] = [];
  let unknown = 0;
  let count = 0;
  for (const item of inOrder(received)) {
    count += 1;
    const fate = fates.get(item.sha256);
    if (fate) {
      fate.there += 1;
      // Only the first arrival has a place; a second one is counted as doubled.
      if (fate.there === 1) arrivals.push({ fate, lane: item.lane ?? '' });
    } else if (item.controlId !== undefined && controlIds.has(item.controlId)) altered.push(item.controlId);
    else unknown += 1;
  }
  const all = [...fates.values()];
  const answered = all.filter((fate) => fate.answeredAt < Number.POSITIVE_INFINITY);
  const silent = all.filter((fate) => fate.answeredAt === Number.POSITIVE_INFINITY && !fate.refused);
  const due = (fate: Fate) => (equalBytes === 'each' ? fate.numbers.size : 1);
  return {
    sent: all.length,
    received: count,
    answered: answered.length,
    refused: all.length - answered.length - silent.length,
    unanswered: silent.length,
    unansweredButThere: silent.filter((fate) => fate.there > 0).length,
    lost: answered.filter((fate) => fate.there < (equalBytes === 'each' ? due(fate) : 1)).map(nameOf),
    doubled: all.filter((fate) => fate.there > due(fate)).map(nameOf),
    altered,
    unknown,
    orderBreaks: orderBreaksOf(arrivals),
  };
}

/** One line for a verdict: the counts that must be nought, and those that give them weight. */
export function summaryOf(report: DeliveryReport): string {
  const { sent, answered, unanswered, lost, doubled, altered, unknown, orderBreaks } = report;
  return (
    `sent ${sent} answered ${answered} unanswered ${unanswered} lost ${lost.length} doubled ${doubled.length} ` +
    `altered ${altered.length} unknown ${unknown} order breaks ${orderBreaks.length}`
  );
}

function isPositiveCode(code: string): boolean {
  return code === 'AA' || code === 'CA' || code === 'PUBACK' || code === 'PUBCOMP' || /^HTTP 2/.test(code);
}

function nameOf(fate: Fate): string {
  return fate.controlId;
}

function fatesOf(ledger: LedgerContent, isPositive: (code: string) => boolean): Map<string, Fate> {
  const fates = new Map<string, Fate>();
  const byNumber = new Map<number, Fate>();
  for (const entry of ledger.sent) {
    let fate = fates.get(entry.sha256);
    if (!fate) {
      const { n, controlId, sha256, key, line } = entry;
      const [source, connection] = [entry.source ?? '', entry.connection ?? ''];
      const known = { n, controlId, sha256, source, key, connection, firstSent: line };
      const unknown = { sends: 0, numbers: new Set<number>(), refused: false, there: 0 };
      fate = { ...known, ...unknown, answeredAt: Number.POSITIVE_INFINITY };
      fates.set(sha256, fate);
    }
    fate.sends += 1;
    fate.numbers.add(entry.n);
    byNumber.set(entry.n, fate);
  }
  for (const answer of ledger.answers) {
    const fate = byNumber.get(answer.n);
    if (!fate) throw new Error(`ledger: an answer to ${answer.n}, which was never sent`);
    if (!isPositive(answer.code)) fate.refused = true;
    else if (answer.line < fate.answeredAt) fate.answeredAt = answer.line;
  }
  return fates;
}

function inOrder(received: Iterable<Received>): Iterable<Received> {
  const items = [...received];
  if (items.every((item) => item.position === undefined)) return items;
  if (items.some((item) => item.position === undefined)) throw new Error('some positions, not all');
  return items.sort((a, b) => (BigInt(a.position!) < BigInt(b.position!) ? -1 : 1));
}

// Walking in order of arrival, the latest first send seen so far is all that a later arrival must be
// compared with: it is a break when that send came after this one's answer (or after this one's only send,
// on the same connection).
function orderBreaksOf(arrivals: readonly { fate: Fate; lane: string }[]): OrderBreak[] {
  const breaks: OrderBreak[] = [];
  const latest = new Map<string, Fate>();
  const latestOfConnection = new Map<string, Fate>();
  for (const { fate, lane } of arrivals) {
    if (fate.key === undefined) continue;
    const place = JSON.stringify([fate.source, fate.key, lane]);
    const sameConnection = JSON.stringify([fate.source, fate.key, lane, fate.connection]);
    const before = latest.get(place);
    const beside = fate.sends === 1 ? latestOfConnection.get(sameConnection) : undefined;
    const later =
      before && before.firstSent > fate.answeredAt
        ? before
        : beside && beside.firstSent > fate.firstSent
          ? beside
          : undefined;
    if (later) breaks.push({ source: fate.source, key: fate.key, earlier: fate.n, later: later.n });
    if (!before || fate.firstSent > before.firstSent) latest.set(place, fate);
    const known = latestOfConnection.get(sameConnection);
    if (fate.sends === 1 && (!known || fate.firstSent > known.firstSent)) {
      latestOfConnection.set(sameConnection, fate);
    }
  }
  return breaks;
}
