/**
 * How urgent an HL7 v2 message looks, from its bytes, before anything is parsed: so that a STAT
 * result is normalized before the backlog. Normalization has the last word on the class.
 *
 * Reads every field that the built-in class rules read (gateway/prioritize/defaults.ts), each time
 * to the same end; a test holds the two together. One pass, next to nothing allocated, any input is safe.
 * In Shift_JIS, Big5, GB 18030 and ISO-2022 a delimiter can be half of a character; the guess may
 * then be wrong, never worse than that.
 */
import type { Class } from '../../proto/config/event-words.ts';
import { priorityTables } from '../../proto/hl7-table.ts';
import { alarmFlag, alarmPriority } from './alarm-priority.ts';
import { isCritical, type Separators } from './flags.ts';
import { Lines } from './lines.ts';
import {
  bulk,
  classOf,
  codedPriorities,
  priorityOf,
  routine,
  stat,
  tabledPriority,
  timing,
  urgent,
} from './priority.ts';
import { Specimens } from './specimens.ts';
import { isMerge, isNotification, type Kind, kindOf } from './trigger.ts';
import { blank, code, field, nextRepetition, none, word } from './words.ts';

export function guessHl7v2(raw: Uint8Array): Class {
  return new Guess(raw).made();
}

const [ADD, ARQ, EVN, MSH] = [code('ADD'), code('ARQ'), code('EVN'), code('MSH')];
const [OBR, OBX, ORC, PID] = [code('OBR'), code('OBX'), code('ORC'), code('PID')];
const [RF1, RXE, RXG, SPM, TQ1] = [code('RF1'), code('RXE'), code('RXG'), code('SPM'), code('TQ1')];
/** MDC_ATTR_ALARM_PRIORITY and MDC_EVT_ALARM. */
const [PRIORITY, ALARM] = [code('68484'), code('196616')];
/** Of 68484. */
const six = 0x36;

class Guess {
  readonly #raw: Uint8Array;
  readonly #lines: Lines;
  /** Of the messages before the one that is read, the highest. */
  #best = bulk;
  /** Of this one so far; none before the first MSH. */
  #rank: number = none;
  #by: Separators = { field: 0, component: 0, repetition: 0, subcomponent: 0 };
  #kind: Kind = 'other';
  /** The priority of the alarm was said. */
  #isAlarmed = false;
  /** What the priority of an alarm can give. */
  #ceiling: number = stat;
  /** Separators up to OBX-8, while a result is read. */
  #left = 0;
  readonly #specimens = new Specimens();

  constructor(raw: Uint8Array) {
    this.#raw = raw;
    this.#lines = new Lines(raw);
  }

  made(): Class {
    const lines = this.#lines;
    while (lines.next()) {
      const { name, at, end } = lines;
      if (name === MSH && end - at > 8) this.#open(at, end);
      else if (this.#rank > bulk && this.#raw[at + 3] === this.#by.field) this.#segment(name, at, end);
      // A line that is no segment is of the text of the OBX before it, and the flags stand behind that text.
      if (this.#left > 0) this.#flags(name === ADD ? at + 4 : at, end);
    }
    const hasMessage = this.#rank !== none;
    this.#settle(this.#specimens.end());
    return hasMessage ? classOf(this.#best) : 'routine';
  }

  #open(at: number, end: number): void {
    this.#settle(this.#specimens.patient());
    const raw = this.#raw;
    const separator = raw[at + 3]!;
    const component = raw[at + 4]!;
    const repetition = raw[at + 5] === separator ? 0 : raw[at + 5]!;
    const subcomponent = raw[at + 7] === separator ? 0 : raw[at + 7]!;
    this.#by = { field: separator, component, repetition, subcomponent };
    // MSH-1 is the separator itself [HL7 2.5.3.1], so MSH-9 stands where field 8 of others does.
    const type = field(raw, at, end, separator, 8);
    this.#kind = kindOf(raw, type, end, component);
    this.#rank = this.#kind === 'bulk' ? bulk : this.#kind === 'merge' ? urgent : routine;
    this.#isAlarmed = false;
    this.#ceiling = isNotification(raw, type, component) ? urgent : stat;
    this.#left = 0;
  }

  /** @param flagged the last order of the message that ends here had a flag that counts */
  #settle(flagged: boolean): void {
    if (flagged) this.#best = stat;
    else if (this.#kind === 'alarm' && !this.#isAlarmed) this.#raise(urgent);
    this.#best = Math.max(this.#best, this.#rank);
  }

  #raise(rank: number): void {
    if (rank > this.#rank) this.#rank = rank;
  }

  #segment(name: number, at: number, end: number): void {
    // ADD goes on with the field that the segment before it ended with.
    if (name === ADD) return;
    this.#left = name === OBX ? 8 : 0;
    switch (name) {
      case OBX:
        if (this.#kind === 'result' || this.#kind === 'alarm') this.#alarmRow(at, end);
        break;
      case PID:
        if (this.#specimens.patient()) this.#rank = stat;
        break;
      case SPM:
        if (this.#specimens.specimen(this.#raw, this.#field(at, end, 11), end, this.#by)) this.#rank = stat;
        break;
      case EVN: {
        // Before 2.3 the trigger event may stand here alone.
        const trigger = this.#field(at, end, 1);
        if (this.#kind === 'patient' && trigger >= 0 && isMerge(this.#raw, trigger)) this.#raise(urgent);
        break;
      }
      case RF1:
        if (this.#kind === 'referral') this.#raise(tabledPriority(this.#raw, at, end, 2, this.#by, '0280'));
        break;
      case ARQ:
        if (this.#kind === 'schedule')
          this.#raise(tabledPriority(this.#raw, at, end, 12, this.#by, ...priorityTables));
        break;
      default:
        this.#order(name, at, end);
    }
  }

  /** What tells of an order, or of an appointment as if it were one. */
  #order(name: number, at: number, end: number): void {
    const raw = this.#raw;
    const by = this.#by;
    const kind = this.#kind;
    if (name === OBR) {
      if (this.#specimens.order(raw, this.#field(at, end, 15), end, by)) this.#rank = stat;
      const service = this.#field(at, end, 4);
      if (kind === 'result' && service >= 0 && word(raw, service, end, by) === ALARM) this.#kind = 'alarm';
    } else if (name === ORC && this.#specimens.control()) this.#rank = stat;
    if (kind === 'patient' || kind === 'merge') return;
    if (kind === 'schedule') {
      if (name === TQ1) this.#raise(tabledPriority(raw, at, end, 9, by, ...priorityTables));
    } else if (name === OBR) this.#raise(this.#requested(at, end));
    else if (name === ORC) this.#raise(timing(raw, at, end, 7, by));
    else if (name === TQ1) this.#raise(codedPriorities(raw, at, end, 9, by));
    else if (name === RXE) this.#raise(timing(raw, at, end, 1, by));
    else if (name === RXG) this.#raise(timing(raw, at, end, 3, by));
  }

  /** OBR-5 is the priority of 2.2 and before; where OBR-27 says one, that one counts. */
  #requested(at: number, end: number): number {
    const timed = timing(this.#raw, at, end, 27, this.#by);
    if (timed !== none) return timed;
    const old = this.#field(at, end, 5);
    return old < 0 ? none : priorityOf(word(this.#raw, old, end, this.#by));
  }

  /** The priority of an alarm may be a row of its own, MDC_ATTR_ALARM_PRIORITY [IHE PCD-04]. */
  #alarmRow(at: number, end: number): void {
    const raw = this.#raw;
    const identifier = this.#field(at, end, 3);
    // Most codes do not begin as that one does.
    if (identifier < 0 || (raw[identifier] !== six && raw[identifier]! > blank)) return;
    if (word(raw, identifier, end, this.#by) !== PRIORITY) return;
    this.#kind = 'alarm';
    const value = this.#field(at, end, 5);
    const said = value < 0 ? 0 : word(raw, value, end, this.#by);
    if (said === 0) return;
    const given = alarmPriority(said);
    this.#alarm(given === none ? urgent : given);
  }

  #alarm(priority: number): void {
    this.#raise(Math.min(priority, this.#ceiling));
    this.#isAlarmed = true;
  }

  /** OBX-8, or so much of the way to it as this line goes. */
  #flags(begin: number, end: number): void {
    const raw = this.#raw;
    const by = this.#by;
    let from = begin;
    while (from < end && this.#left > 0) if (raw[from++] === by.field) this.#left--;
    if (this.#left > 0 || from >= end || raw[from] === by.field) return;
    for (let flag = from; flag >= 0; flag = nextRepetition(raw, flag, end, by)) {
      if (isCritical(raw, flag, end, by)) {
        if (this.#kind === 'result' || this.#kind === 'specimens') this.#specimens.flag();
        else this.#rank = stat;
      } else if (this.#kind === 'alarm') {
        const priority = alarmFlag(raw, flag, end, by);
        if (priority !== none) this.#alarm(priority);
      }
    }
  }

  #field(at: number, end: number, n: number): number {
    return field(this.#raw, at, end, this.#by.field, n);
  }
}
