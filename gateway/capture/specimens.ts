/**
 * Whether the flags of a report count, from its bytes: those of an order whose specimens are all controls, calibrators
 * and the like are no patient's (proto/specimen-role.ts; a test holds the two together). A specimen stands before its
 * orders (OUL^R22) or behind their results (ORU), so that a flag waits for the end of its order. Where the segments
 * stand in no order that HL7 knows, a flag counts.
 */
import type { Separators } from './flags.ts';
import { firstCoding, inTable } from './words.ts';

const [unknown, patient, nobody] = [0, 1, 2];
type Role = number;

export class Specimens {
  /** The specimen before the orders, and those of the open one. */
  #standing: Role = unknown;
  #own: Role = unknown;
  #isOpen = false;
  #hasOrder = false;
  #flagged = false;

  /** A critical flag of the open order. */
  flag(): void {
    this.#flagged = true;
  }

  /** ORC: the next order, unless it belongs to the results behind it. */
  control(): boolean {
    const next = this.#flagged && this.end();
    this.#isOpen = true;
    return next;
  }

  /** OBR, whose source may say the role, too (SPS-7). True, here and below: a flag of the order before it counts. */
  order(raw: Uint8Array, source: number, end: number, by: Separators): boolean {
    const counts = this.end();
    this.#own = source < 0 ? unknown : roleOfSource(raw, source, end, by);
    this.#isOpen = true;
    this.#hasOrder = true;
    return counts;
  }

  /** SPM. */
  specimen(raw: Uint8Array, roles: number, end: number, by: Separators): boolean {
    const role = roleOf(raw, roles, end, by);
    if (this.#isOpen && !(this.#standing !== unknown && this.#hasOrder)) {
      this.#own = this.#own === patient ? patient : role;
      return false;
    }
    const counts = this.end();
    this.#standing = role;
    this.#isOpen = false;
    this.#hasOrder = false;
    return counts;
  }

  /** PID, MSH: another patient. */
  patient(): boolean {
    const counts = this.end();
    this.#standing = unknown;
    this.#isOpen = false;
    this.#hasOrder = false;
    return counts;
  }

  end(): boolean {
    const one = Math.max(this.#standing, this.#own);
    const counts = this.#flagged && (one !== nobody || this.#standing === patient || this.#own === patient);
    this.#own = unknown;
    this.#flagged = false;
    return counts;
  }
}

/** Every repetition of SPM-11; -1 where it is empty. */
function roleOf(raw: Uint8Array, from: number, end: number, by: Separators): Role {
  let found: Role = patient;
  for (let at = from; at >= 0 && at < end && raw[at] !== by.field; ) {
    const role = roleAt(raw, at, end, by, by.component);
    if (role === patient) return patient;
    if (role === nobody) found = nobody;
    while (at < end && raw[at] !== by.field && !isRepetition(raw[at]!, by)) at++;
    if (at < end && raw[at] !== by.field) at++;
  }
  return found;
}

/** Where it says none, the specimens do. */
function roleOfSource(raw: Uint8Array, from: number, end: number, by: Separators): Role {
  let at = from;
  for (let left = 6; left > 0; at++) {
    if (at >= end || raw[at] === by.field || isRepetition(raw[at]!, by)) return unknown;
    if (raw[at] === by.component) left--;
  }
  return roleAt(raw, at, end, by, by.subcomponent);
}

/** Of one code, by the coding that is in the table, else by its first. */
function roleAt(raw: Uint8Array, from: number, end: number, by: Separators, between: number): Role {
  const named = inTable(raw, from, end, by, between, table0369);
  if (named >= 0) return roleIn(letterAt(raw, named, end, by), table0369);
  const first = between === by.component ? firstCoding(raw, from, end, by) : from;
  return roleIn(letterAt(raw, first, end, by), tableOf(raw, first, end, by, between));
}

const table0369 = '0369';

function roleIn(letter: number, table: string): Role {
  const isNamed = table.endsWith(table0369);
  if (table !== '' && !isNamed) return unknown;
  if (letter === P) return patient;
  return letter === Q || (isNamed && ofNobody.includes(letter)) ? nobody : unknown;
}

const [P, Q] = [0x50, 0x51];
const ofNobody = [...Buffer.from('BCEFOQV')];

function isRepetition(byte: number, { repetition }: Separators): boolean {
  return byte === repetition && repetition !== 0;
}

/** Is the byte none of the component's own? */
function ends(byte: number, by: Separators): boolean {
  if (byte === by.field || byte === by.component || isRepetition(byte, by)) return true;
  return byte === by.subcomponent && by.subcomponent !== 0;
}

/** The component where it is one letter, in capitals; else 0. */
function letterAt(raw: Uint8Array, from: number, end: number, by: Separators): number {
  let letter = 0;
  for (let at = from; at < end && !ends(raw[at]!, by); at++) {
    const byte = raw[at]!;
    if (byte <= 0x20) continue;
    if (letter !== 0) return 0;
    letter = byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte;
  }
  return letter;
}

/** The end of the third part. @param between parts */
function tableOf(raw: Uint8Array, from: number, end: number, by: Separators, between: number): string {
  let at = from;
  for (let left = 2; left > 0 && at < end; at++) {
    if (raw[at] === between) left--;
    else if (ends(raw[at]!, by) && (between !== by.component || raw[at] !== by.subcomponent)) return '';
  }
  let name = '';
  for (; at < end && !ends(raw[at]!, by); at++) name = (name + String.fromCharCode(raw[at]!)).slice(-8);
  return name.trim();
}
