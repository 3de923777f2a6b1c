/**
 * Gives an event its class: the source's fixed class, else the first rule of the config that
 * matches, else the built-in rules. Two bounds stand above all of them: a result
 * from an unreviewed source is not below `urgent`, and a will is never `stat`.
 */
import { mustCompile } from '../../proto/config/cel.ts';
import { priorityFlags } from '../../proto/config/device-words.ts';
import { viewEvent } from '../../proto/config/event-view.ts';
import { type Class, classes } from '../../proto/config/event-words.ts';
import type { Config } from '../../proto/config/schema.ts';
import type { ClinicalEvent, Coding, Observation, Order } from '../../proto/gen/hilum/v1/event.ts';
import { codeInTable, priorityTables } from '../../proto/hl7-table.ts';
import { tellsOfPatient } from '../../proto/specimen-role.ts';
import {
  alarmClasses,
  criticalFlags,
  fixedKinds,
  kindClasses,
  notificationCeiling,
  priorityClasses,
  unreviewedFloor,
  willCeiling,
} from './defaults.ts';

type Flags = Pick<Observation, 'interpretations' | 'interpretation' | 'interpretationCodes'>;

/** What the event itself does not say. */
export interface Hints {
  /** The record is the last will of an MQTT client. */
  will?: boolean;
}

export interface Verdict {
  class: Class;
  /** For provenance: `class:source`, `class:<rule of the config>`, `class:default:<table>` … */
  rule: string;
}

/** A rule of the config that fails at run time does not match [proto/config/cel.ts, takeFailed]. */
export type Classify = (event: ClinicalEvent, hints?: Hints) => Verdict;

/** The config has been checked; a predicate that does not compile here is a broken invariant. */
export function compileClassifier(config: Pick<Config, 'classes' | 'sources'>): Classify {
  const rules = config.classes.rules.map(({ name, when, class: given }) => ({
    name,
    predicate: mustCompile(`class rule ${name}`, when),
    verdict: { class: given, rule: `class:${name}` },
  }));
  const sources = new Map(Object.entries(config.sources));
  const decide = (event: ClinicalEvent, fixed: Class | undefined): Verdict => {
    if (fixed !== undefined) return { class: fixed, rule: 'class:source' };
    if (rules.length > 0) {
      const view = viewEvent(event);
      for (const { predicate, verdict } of rules) if (predicate.test(view)) return verdict;
    }
    return config.classes.defaults ? byDefault(event) : { class: 'routine', rule: 'class:none' };
  };
  return (event, hints = {}) => {
    const source = sources.get(event.provenance?.source ?? '');
    let verdict = decide(event, source?.class);
    if (
      source?.reviewed === false &&
      event.kind === 'observation' &&
      rank(verdict.class) < rank(unreviewedFloor)
    ) {
      verdict = { class: unreviewedFloor, rule: 'class:unreviewed' };
    }
    if (hints.will === true && rank(verdict.class) > rank(willCeiling)) {
      verdict = { class: willCeiling, rule: 'class:will' };
    }
    return verdict;
  };
}

/** All events of one record share its highest class. */
export function highest(found: Iterable<Class>): Class {
  let best: Class = 'bulk';
  for (const one of found) if (rank(one) > rank(best)) best = one;
  return best;
}

/** bulk 0 … stat 3 */
export function rank(word: Class): number {
  return ranks[word];
}

const ranks = Object.fromEntries(
  classes.map((word, place) => [word, classes.length - 1 - place]),
) as Readonly<Record<Class, number>>;

function byDefault(event: ClinicalEvent): Verdict {
  const verdict: Verdict = { class: known(kindClasses, event.kind) ?? 'routine', rule: 'class:default:kind' };
  if (fixedKinds.has(event.kind)) return verdict;
  // Flags first: of two reasons for `stat`, the reported critical result is the one to name.
  if (event.observations.some(isCritical) && !isOfControl(event))
    return { class: 'stat', rule: 'class:default:critical-flag' };
  if (event.observations.some(({ critical }) => critical !== undefined)) {
    return { class: 'stat', rule: 'class:default:critical-rule' };
  }
  raiseByOrder(verdict, event.order);
  for (const order of event.furtherOrders) raiseByOrder(verdict, order);
  raise(verdict, timingClass(event.medication?.timing), 'class:default:priority');
  for (const { timing } of event.furtherMedications)
    raise(verdict, timingClass(timing), 'class:default:priority');
  if (event.kind === 'referral') {
    raise(verdict, priorityClass(codeInTable(event.referral?.priority, '0280')), 'class:default:priority');
  }
  if (event.kind === 'schedule') {
    raise(
      verdict,
      priorityClass(codeInTable(event.schedule?.priority, ...priorityTables)),
      'class:default:priority',
    );
  }
  if (event.kind === 'device-alarm') {
    raise(verdict, alarmClass(event), 'class:default:alarm');
  }
  return verdict;
}

/** What is found in a control is no patient's, whatever its flags. */
function isOfControl({ kind, order }: ClinicalEvent): boolean {
  return kind === 'observation' && !tellsOfPatient(order);
}

/** The highest that the alarm's own priority and its flags say; unknown words count as unstated. */
function alarmClass(event: ClinicalEvent): Class {
  const own = event.alarm?.priority ?? '';
  const flags = event.observations.flatMap(({ interpretations }) =>
    interpretations.flatMap((text) => text.split(',').map(word)),
  );
  const priorities: string[] = flags.flatMap((flag) => priorityFlags.get(flag) ?? []);
  // A row for it whose word nobody understood may say more than the flags do.
  const stated = event.observations.some(({ code }) => code?.codings.some(isPriority));
  if (own !== '' || stated || priorities.length === 0) priorities.push(own);
  const found = highest(priorities.map((priority) => known(alarmClasses, priority) ?? 'urgent'));
  const told = event.alarm?.notification !== undefined && rank(found) > rank(notificationCeiling);
  return told ? notificationCeiling : found;
}

/** By number or by name, which senders put into either place. */
function isPriority({ code, display }: Coding): boolean {
  return code === '68484' || priorityName.test(code) || priorityName.test(display);
}

const priorityName = /^(?:MDC_ATTR_)?AL(?:ARM|ERT)?_PRIORITY$/i;

function known(table: Readonly<Record<string, Class>>, key: string): Class | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function raiseByOrder(verdict: Verdict, order: Order | undefined): void {
  raise(verdict, priorityClass(order?.priority), 'class:default:priority');
  raise(verdict, timingClass(order?.timing), 'class:default:priority');
}

function raise(verdict: Verdict, to: Class | undefined, rule: string): void {
  if (to === undefined || rank(to) <= rank(verdict.class)) return;
  verdict.class = to;
  verdict.rule = rule;
}

function isCritical({ interpretations, interpretation, interpretationCodes }: Flags): boolean {
  for (const flag of interpretations) if (saysCritical(flag)) return true;
  for (const { text, codings } of interpretationCodes) {
    if (saysCritical(text)) return true;
    for (const { code, display } of codings) if (saysCritical(code) || saysCritical(display)) return true;
  }
  // It is the first of them as a rule.
  return interpretation !== interpretations[0] && saysCritical(interpretation);
}

function saysCritical(flag: string): boolean {
  if (criticalFlags.has(word(flag))) return true;
  return flag.includes(',') && flag.split(',').some((one) => criticalFlags.has(word(one)));
}

function priorityClass(priority: string | undefined): Class | undefined {
  if (priority === undefined || priority === '') return undefined;
  const known = priorities.get(priority);
  if (known !== undefined) return known.class;
  const said = word(priority);
  const found = { class: priorityClasses.find(({ pattern }) => pattern.test(said))?.class };
  if (priority.length <= wordCharactersMax) {
    if (priorities.size >= wordsMax) priorities.clear();
    priorities.set(priority, found);
  }
  return found.class;
}

/** TQ-6; or TQ-1 where a sender wrote nothing but `S` into the field. */
function timingClass(timings: readonly { priority: string; quantity: string }[] = []): Class | undefined {
  let found: Class | undefined;
  for (const { priority, quantity } of timings) {
    const one = priorityClass(priority === '' ? quantity : priority);
    if (one !== undefined && (found === undefined || rank(one) > rank(found))) found = one;
  }
  return found;
}

/** The same for priorities, which nearly every order has. */
const priorities = new Map<string, { readonly class: Class | undefined }>();
const words = new Map<string, string>();
const wordsMax = 256;
/** Longer ones may be slices, which would keep the whole message in memory. */
const wordCharactersMax = 12;

/** Every row of every result has a flag, and they are a handful: each is worked out once. */
function word(text: string): string {
  if (text.length > wordCharactersMax) return identifierOf(text);
  let known = words.get(text);
  if (known === undefined) {
    known = identifierOf(text);
    if (words.size >= wordsMax) words.clear();
    words.set(text, known);
  }
  return known;
}

/** The identifier of a CWE that is given as sent: `HH^Critical high^HL70078`. */
function identifierOf(text: string): string {
  const end = text.indexOf('^');
  return (end === -1 ? text : text.slice(0, end)).trim().toUpperCase();
}
