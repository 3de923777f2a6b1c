/**
 * What an ADT message says of identities, as steps: which identifiers are retired, moved or linked, and
 * what stands for them [HL7 3.3.18, 3.3.24, 3.3.30–3.3.51, 3.6]. An identifier that stands on both sides
 * of a merge is shared by both patients (an enterprise number) and is not retired.
 */
import type { ClinicalEvent, Identifier, Patient } from '../../../proto/gen/hilum/v1/event.ts';
import type { IdentityStep } from '../../../proto/gen/hilum/v1/identity.ts';
import { mergeTriggers, retiredBy, type What } from '../../../proto/merge-triggers.ts';
import type { About } from './memory.ts';
import { enteredMs } from './newness.ts';

export type { What };

export interface Step {
  what: What;
  step: IdentityStep;
}

/** Of one patient, account or visit; a message with more is read up to here. */
const identifiersMax = 8;
/** Numbers in PID that are not a patient's: accounts, visits, and what people lend or mistype (SSN, licence). */
const notOfPatients: ReadonlySet<string> = new Set(['AN', 'VN', 'SS', 'DL']);

/** Asked for many times by the rules, for the few identifiers of one record; one string each is hashed once. */
const texts: { system: string; value: string; text: string }[] = Array.from({ length: 4 }, () => ({
  system: '',
  value: '',
  text: '|',
}));
let oldestText = 0;

export function idText({ system, value }: Identifier): string {
  for (const known of texts) if (known.value === value && known.system === system) return known.text;
  const text = `${system}|${value}`;
  texts[oldestText] = { system, value, text };
  oldestText = (oldestText + 1) % texts.length;
  return text;
}

export function patientIdentifiers(patient: Patient | undefined): Identifier[] {
  return ofPatient(patient?.identifiers ?? []);
}

/** Those that the patient has after the event: PID may list a retired number with its end [CX-8]. */
export function keptIdentifiers({ patient, merge }: ClinicalEvent): Identifier[] {
  const said = patientIdentifiers(patient);
  return merge === undefined || merge.retired.length === 0 ? said : without(said, merge.retired);
}

/** The identifiers of this kind that the event was sent under. */
export function saidOf(event: ClinicalEvent, what: What): Identifier[] {
  if (what === 'patient') return patientIdentifiers(event.patient);
  if (what === 'account') return event.patient?.account === undefined ? [] : [event.patient.account];
  return distinct(event.encounter?.identifiers ?? []);
}

/** The other side of a merge, move or link. */
export function otherOf({ merge }: ClinicalEvent, what: What): Identifier[] {
  if (merge === undefined) return [];
  if (what === 'patient') {
    const { retired, movedFrom, other } = merge;
    // Most merges retire, and the same list is asked for again and again.
    if (movedFrom.length === 0 && other === undefined) return ofPatient(retired);
    return ofPatient([...retired, ...movedFrom, ...(other?.identifiers ?? [])]);
  }
  return distinct(what === 'account' ? merge.retiredAccounts : merge.retiredVisits);
}

export const whats: readonly What[] = ['patient', 'account', 'visit'];

/** The steps of a merge, move, link, unlink or change. */
export function stepsOf(event: ClinicalEvent, about: Pick<About, AboutStep>): Step[] {
  const { merge } = event;
  if (merge === undefined) return [];
  const { trigger, action } = merge;
  const saidMs = enteredMs(event);
  const made: Step[] = [];
  const add = (what: What, part: Partial<IdentityStep> & Pick<IdentityStep, 'from'>) => {
    const { into = [], patient = [] } = part;
    if (part.from.length === 0 || (into.length === 0 && patient.length === 0)) return;
    const { source, capturedAtUs } = about;
    const record = { epoch: about.epoch, sequence: about.sequence };
    const step: IdentityStep = {
      action,
      trigger,
      from: part.from,
      into,
      patient,
      record,
      source,
      atUs: capturedAtUs,
      undoneBy: undefined,
      saidMs,
    };
    made.push({ what, step });
  };
  const known = mergeTriggers.get(trigger);
  if (known?.action === 'move') for (const what of known.of) addMove(event, what, add);
  else if (action === 'unlink') {
    const [one, other] = [saidOf(event, 'patient'), otherOf(event, 'patient')];
    add('patient', { from: one, into: other });
  } else if (known?.action === 'link') {
    const [one, other] = [saidOf(event, 'patient'), otherOf(event, 'patient')];
    add('patient', { from: without(other, one), into: without(one, other) });
  } else {
    for (const what of retiredBy(trigger)) {
      if (what === 'patient') add(what, { from: otherOf(event, what), into: keptIdentifiers(event) });
      else {
        const [said, other] = [saidOf(event, what), otherOf(event, what)];
        add(what, { from: without(other, said), into: without(said, other) });
      }
    }
  }
  return made;
}

type AboutStep = 'epoch' | 'sequence' | 'source' | 'capturedAtUs';

type Add = (what: What, part: Partial<IdentityStep> & Pick<IdentityStep, 'from'>) => void;

/** What is moved keeps its number as a rule, and belongs to another patient from now on. */
function addMove(event: ClinicalEvent, what: What, add: Add): void {
  const to = saidOf(event, 'patient');
  const [said, other] = [saidOf(event, what), otherOf(event, what)];
  if (what === 'patient') {
    const kept = other.filter((one) => said.some((same) => idText(same) === idText(one)));
    const into = without(said, kept);
    if (into.length > 0) add(what, { from: kept, patient: said });
    add(what, { from: without(other, said), into: said, patient: said });
    return;
  }
  // Some senders name the moved account or visit only beside the new patient.
  const from = other.length > 0 ? other : said;
  const kept = from.filter((one) => said.length === 0 || said.some((same) => idText(same) === idText(one)));
  add(what, { from: kept, patient: to });
  add(what, { from: without(from, kept), into: without(said, from), patient: to });
}

/** Asked for several times by each rule, for one event after the other. */
let latest: { of: readonly Identifier[]; are: Identifier[] } = { of: [], are: [] };

export function ofPatient(identifiers: readonly Identifier[]): Identifier[] {
  if (identifiers === latest.of) return latest.are;
  const are = distinct(
    identifiers.filter(({ type }) => type === '' || !notOfPatients.has(type.toUpperCase())),
  );
  latest = { of: identifiers, are };
  return are;
}

function distinct(identifiers: readonly Identifier[]): Identifier[] {
  const given = identifiers.filter(({ value }) => value !== '');
  if (given.length < 2) return given;
  const seen = new Map<string, Identifier>();
  for (const one of given) if (!seen.has(idText(one))) seen.set(idText(one), one);
  return [...seen.values()].slice(0, identifiersMax);
}

function without(identifiers: readonly Identifier[], others: readonly Identifier[]): Identifier[] {
  const known = new Set(others.map(idText));
  return identifiers.filter((one) => !known.has(idText(one)));
}
