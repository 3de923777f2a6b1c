/**
 * How urgent an HL7 v2 message looks, from its bytes, before anything is parsed: so that a STAT
 * result is normalized before the backlog. Normalization has the last word on the class.
 *
 * Reads every field that the built-in class rules read (gateway/prioritize/defaults.ts), each time
 * to the same end; a test holds the two together. One pass, next to nothing allocated, any input is safe.
 * In Shift_JIS, Big5, GB 18030 and ISO-2022 a delimiter can be half of a character; the guess may
 * then be wrong, never worse than that.
 */
import { type Class, classes } from '../../proto/config/event-words.ts';
import { priorityTables } from '../../proto/hl7-table.ts';
import { isCritical, type Separators } from './flags.ts';
import {
  bulk,
  codedPriorities,
  priorityOf,
  routine,
  stat,
  tabledPriority,
  timing,
  urgent,
} from './priority.ts';
import { Specimens } from './specimens.ts';
import { isMerge, isNotification } from './trigger.ts';
import { blank, code, endsWhole, field, nextRepetition, none, word } from './words.ts';

export function guessHl7v2(raw: Uint8Array): Class {
  let best = bulk;
  let message: number = none;
  let separator = 0;
  let component = 0;
  let repetition = 0;
  let subcomponent = 0;
  let by: Separators = { field: 0, component: 0, repetition: 0, subcomponent: 0 };
  let kind: Kind = 'other';
  let alarmed = false;
  /** What the priority of an alarm can give. */
  let ceiling: number = stat;
  /** Separators up to OBX-8, while a result is read. */
  let left = 0;
  const specimens = new Specimens();
  let nextReturn = -2;
  let nextFeed = -2;
  for (let at = afterMark(raw); at < raw.length; ) {
    while (at < raw.length && raw[at]! <= blank) at++;
    const near = Math.min(raw.length, at + nearBytes);
    let end = at;
    for (; end < near; end++) {
      const byte = raw[end]!;
      if (byte <= carriageReturn && (byte === carriageReturn || byte === lineFeed)) break;
    }
    if (end === at + nearBytes) {
      // A large document is one long line: indexOf skips it at memory speed, and each mark is looked for once.
      if (nextReturn !== -1 && nextReturn < end) nextReturn = raw.indexOf(carriageReturn, end);
      if (nextFeed !== -1 && nextFeed < end) nextFeed = raw.indexOf(lineFeed, end);
      end = Math.min(nextReturn < 0 ? raw.length : nextReturn, nextFeed < 0 ? raw.length : nextFeed);
    }
    const name = (raw[at]! << 16) | (raw[at + 1]! << 8) | raw[at + 2]!;
    if (name === MSH && end - at > 8) {
      best = Math.max(best, settled(message, kind, alarmed, specimens.patient()));
      separator = raw[at + 3]!;
      component = raw[at + 4]!;
      repetition = raw[at + 5] === separator ? 0 : raw[at + 5]!;
      subcomponent = raw[at + 7] === separator ? 0 : raw[at + 7]!;
      by = { field: separator, component, repetition, subcomponent };
      // MSH-1 is the separator itself [HL7 2.5.3.1], so MSH-9 stands where field 8 of others does.
      const type = field(raw, at, end, separator, 8);
      kind = kindOf(raw, type, end, component);
      message = kind === 'bulk' ? bulk : kind === 'merge' ? urgent : routine;
      alarmed = false;
      ceiling = isNotification(raw, type, component) ? urgent : stat;
      left = 0;
    } else if (message > bulk && raw[at + 3] === separator) {
      // The segment before it goes on with the field that it ended with.
      if (name === ADD) at += 4;
      else left = name === OBX ? 8 : 0;
      const ordering = kind !== 'patient' && kind !== 'schedule' && kind !== 'merge';
      switch (name) {
        case OBX: {
          // The priority of an alarm is a row of its own, MDC_ATTR_ALARM_PRIORITY [IHE PCD-04].
          if (kind === 'result' || kind === 'alarm') {
            const code = field(raw, at, end, separator, 3);
            // Most codes do not begin as that one does.
            const may = code >= 0 && (raw[code] === six || raw[code]! <= blank);
            if (may && word(raw, code, end, by) === PRIORITY) {
              kind = 'alarm';
              const value = field(raw, at, end, separator, 5);
              const said = value < 0 ? 0 : word(raw, value, end, by);
              if (said !== 0) {
                const given = alarmPriority(said) === none ? urgent : alarmPriority(said);
                message = Math.max(message, Math.min(given, ceiling));
                alarmed = true;
              }
            }
          }
          break;
        }
        case PID:
          if (specimens.patient()) message = stat;
          break;
        case SPM:
          if (specimens.specimen(raw, field(raw, at, end, separator, 11), end, by)) message = stat;
          break;
        case OBR: {
          if (specimens.order(raw, field(raw, at, end, separator, 15), end, by)) message = stat;
          const service = field(raw, at, end, separator, 4);
          if (kind === 'result' && service >= 0) {
            const event = word(raw, service, end, by);
            if (event === ALARM) kind = 'alarm';
          }
          if (!ordering) break;
          const timed = timing(raw, at, end, 27, by);
          // OBR-5 is the priority of 2.2 and before; where OBR-27 says one, that one counts.
          const old = field(raw, at, end, separator, 5);
          const priority = timed === none && old >= 0 ? priorityOf(word(raw, old, end, by)) : timed;
          message = Math.max(message, priority);
          break;
        }
        case ORC:
          if (specimens.control()) message = stat;
          if (ordering) message = Math.max(message, timing(raw, at, end, 7, by));
          break;
        case RXE:
          if (ordering) message = Math.max(message, timing(raw, at, end, 1, by));
          break;
        case RXG:
          if (ordering) message = Math.max(message, timing(raw, at, end, 3, by));
          break;
        case TQ1:
          if (ordering) message = Math.max(message, codedPriorities(raw, at, end, 9, by));
          else if (kind === 'schedule')
            message = Math.max(message, tabledPriority(raw, at, end, 9, by, ...priorityTables));
          break;
        case RF1:
          if (kind === 'referral') message = Math.max(message, tabledPriority(raw, at, end, 2, by, '0280'));
          break;
        case ARQ:
          if (kind === 'schedule')
            message = Math.max(message, tabledPriority(raw, at, end, 12, by, ...priorityTables));
          break;
        case EVN: {
          // Before 2.3 the trigger event may stand here alone.
          const trigger = field(raw, at, end, separator, 1);
          if (kind === 'patient' && trigger >= 0 && isMerge(raw, trigger))
            message = Math.max(message, urgent);
          break;
        }
      }
    }
    // A line that is no segment is of the text of the OBX before it, and the flags stand behind that text.
    if (left > 0) {
      let from = at;
      while (from < end && left > 0) if (raw[from++] === separator) left--;
      let flag = left === 0 && from < end && raw[from] !== separator ? from : none;
      while (flag >= 0) {
        if (isCritical(raw, flag, end, by)) {
          if (kind === 'result' || kind === 'specimens') specimens.flag();
          else message = stat;
        } else if (kind === 'alarm') {
          const priority = alarmFlag(raw, flag, end, by);
          if (priority !== none) {
            message = Math.max(message, Math.min(priority, ceiling));
            alarmed = true;
          }
        }
        flag = nextRepetition(raw, flag, end, by);
      }
    }
    at = end + 1;
  }
  best = Math.max(best, settled(message, kind, alarmed, specimens.end()));
  return message === none ? 'routine' : names[best]!;
}

/**
 * `patient` is ADT, `schedule` SIU and SRM, whose events have no order; what an ORC says there is not their urgency.
 * `result` is ORU and its kin, `specimens` OUL.
 */
type Kind =
  | 'bulk'
  | 'merge'
  | 'alarm'
  | 'patient'
  | 'schedule'
  | 'result'
  | 'specimens'
  | 'referral'
  | 'other';

/** By their rank [priority.ts]. */
const names: readonly Class[] = classes.toReversed();

const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const comma = 0x2c;
/** Of 68484. */
const six = 0x36;
/** Most segments end within these; millions of short lines would take two calls of indexOf each. */
const nearBytes = 64;

const [ADD, ARQ, MSH, EVN, OBR, OBX] = [
  code('ADD'),
  code('ARQ'),
  code('MSH'),
  code('EVN'),
  code('OBR'),
  code('OBX'),
];
const [ORC, RF1, RXE, RXG, TQ1] = [code('ORC'), code('RF1'), code('RXE'), code('RXG'), code('TQ1')];
const [PID, SPM] = [code('PID'), code('SPM')];
const [PH, PM, PL, PN, PI] = [code('PH'), code('PM'), code('PL'), code('PN'), code('PI')];
const [HIGH, MEDIUM, LOW, NONE] = [code('HIGH'), code('MEDIUM'), code('LOW'), code('NONE')];
/** MDC_ATTR_ALARM_PRIORITY and MDC_EVT_ALARM. */
const [PRIORITY, ALARM] = [code('68484'), code('196616')];
const [ADT, SIU, SRM, ORU, OPU, PRU] = [
  code('ADT'),
  code('SIU'),
  code('SRM'),
  code('ORU'),
  code('OPU'),
  code('PRU'),
];
const [DFT, BAR, MFN] = [code('DFT'), code('BAR'), code('MFN')];
const [REF, RRI, OUL] = [code('REF'), code('RRI'), code('OUL')];

function settled(message: number, kind: Kind, alarmed: boolean, flagged: boolean): number {
  if (flagged) return stat;
  return kind === 'alarm' && !alarmed ? Math.max(message, urgent) : message;
}

/**
 * The highest that any code of the flag says, one or several with commas between them; of one without a code its text
 * says it, as the event has it. None where it says no priority.
 */
function alarmFlag(raw: Uint8Array, from: number, end: number, by: Separators): number {
  const whole = { ...by, subcomponent: 0 };
  /** By component: whether something stands there, and the highest in it. */
  const some: boolean[] = [];
  const said: number[] = [];
  let begin = from;
  for (let component = 1, at = from; component <= 10; at++) {
    const byte = at < end ? raw[at]! : by.field;
    const last = endsWhole(byte, by, by.component);
    if (!last && byte !== by.component && byte !== comma) continue;
    some[component] ||= at > begin || byte === comma;
    said[component] = Math.max(said[component] ?? none, priorityFlag(word(raw, begin, at, whole)));
    if (last) break;
    if (byte === by.component) component++;
    begin = at + 1;
  }
  const codes = [1, 4, 10].filter((component) => some[component]);
  const texts = [9, 2, 5].filter((component) => some[component]).slice(0, 1);
  return Math.max(none, ...(codes.length > 0 ? codes : texts).map((component) => said[component] ?? none));
}

/** Among the flags in OBX-8 [IHE PCD-04], where HIGH and LOW are of the value. */
function priorityFlag(found: number): number {
  if (found === PH) return stat;
  if (found === PM) return urgent;
  return found === PL || found === PN || found === PI ? routine : none;
}

/** As a row of its own. */
function alarmPriority(found: number): number {
  if (found === HIGH) return stat;
  if (found === MEDIUM) return urgent;
  return found === LOW || found === NONE ? routine : priorityFlag(found);
}

function kindOf(raw: Uint8Array, type: number, end: number, component: number): Kind {
  if (type < 0 || type + 3 > end) return 'other';
  const family = (raw[type]! << 16) | (raw[type + 1]! << 8) | raw[type + 2]!;
  if (family === DFT || family === BAR || family === MFN) return 'bulk';
  const trigger = raw[type + 3] === component ? type + 4 : none;
  if (family === ADT) {
    return trigger !== none && isMerge(raw, trigger) ? 'merge' : 'patient';
  }
  if (family === SIU || family === SRM) return 'schedule';
  if (family === REF || family === RRI) return 'referral';
  if (family === OUL) return 'specimens';
  if (family !== ORU && family !== OPU && family !== PRU) return 'other';
  // R40 and R41 report an alarm [IHE PCD-04].
  if (trigger === none || raw[trigger] !== 0x52 || raw[trigger + 1] !== 0x34) return 'result';
  return raw[trigger + 2] === 0x30 || raw[trigger + 2] === 0x31 ? 'alarm' : 'result';
}

/** Past a UTF-8 byte order mark. */
function afterMark(raw: Uint8Array): number {
  return raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf ? 3 : 0;
}
