/** Dosage: how a drug is to be taken, or was given. */
import type { ClinicalEvent, Code, Coding, Infusion, Medication } from '../gen/hilum/v1/event.ts';
import { amounts, fastOf, give, speed, spoken } from './amount.ts';
import { concept, concepts, modified, textOf } from './datatypes.ts';
import type { Element } from './json.ts';
import { asNeeded, when } from './timing.ts';
import { plain, type Step, stepsOf } from './timings.ts';

/**
 * A dosage for each timing, numbered where the timings say how they follow each other. Text says what has no place
 * elsewhere.
 */
export function dosage(event: ClinicalEvent, from: Medication): Element[] {
  const steps = stepsOf(event, from);
  if (steps.length < 2) return [step(from, steps[0], undefined, 1)];
  const numbered = steps.some(({ timing }) => timing.conjunction !== '');
  let sequence = 1;
  return steps.map((one, at) => {
    // What is done in parallel has the number of what it is parallel to.
    if (at > 0 && !/^[AC]$/i.test(steps[at - 1]?.timing.conjunction ?? '')) sequence++;
    return step(from, one, numbered ? sequence : undefined, steps.length);
  });
}

/** One of `steps`, as in a taper. */
function step(from: Medication, at: Step | undefined, sequence: number | undefined, steps: number): Element {
  const much = amounts(from, at?.timing.quantity ?? '', steps);
  const told = at && when(at.timing, from.act === 'give');
  return {
    sequence,
    text: inWords(
      ...instructed(from),
      ...much.words,
      ...further(from),
      ...(told?.words ?? []),
      ...(at?.also ?? []),
    ),
    additionalInstruction: concepts([
      ...from.instructionCodes.filter(({ codings }) => codings.some(isCode)),
      ...from.routing,
    ]),
    timing: told?.timing,
    ...asNeeded(at === undefined ? [] : [at.timing]),
    site: modified(from.sites[0], from.siteModifiers),
    route: concept(from.routes[0]),
    method: concept(from.methods[0]),
    doseAndRate: [much.told],
  };
}

/** Each once, in their order. */
function inWords(...said: readonly string[]): string {
  return [...new Set(said)].filter((text) => text !== '').join('; ');
}

/**
 * Of an administration, whose dose is one amount and whose rate is none or one. Without either there is no dosage
 * [mad-1], and `unsaid` is what it would have said.
 */
export function given(from: Medication): { dosage: Element | undefined; unsaid: string } {
  const much = give(from);
  const fast = speed(from);
  const amount = much.dose?.doseQuantity;
  const rate = fast.rate?.rateQuantity === undefined ? much.dose : fast.rate;
  const { rateQuantity, rateRatio } = rate ?? {};
  const text = inWords(
    ...instructed(from),
    // A range, and an amount per time beside a rate.
    ...(amount === undefined && rateRatio === undefined ? [spoken(from)] : much.words),
    ...(fast.rate !== undefined && rateQuantity === undefined ? [fastOf(from)] : fast.words),
    ...further(from),
  );
  const [site, route] = [modified(from.sites[0], from.siteModifiers), concept(from.routes[0])];
  if (amount === undefined && rateQuantity === undefined && rateRatio === undefined)
    return { dosage: undefined, unsaid: inWords(text, textOf(from.routes[0]), (site?.text as string) ?? '') };
  const dosage = {
    text,
    site,
    route,
    method: concept(from.methods[0]),
    dose: amount,
    rateQuantity,
    rateRatio,
  };
  return { dosage, unsaid: '' };
}

/**
 * What a dosage has no member for. RXR repeats with what is to be chosen from [HL7 4A.4.2], of which a dosage has one
 * route, site and method; those that can be chosen are all told.
 */
function further(from: Medication): string[] {
  const { routes, sites, methods, devices, infusions, totalDailyDose } = from;
  const choice = (name: string, all: readonly Code[], least: number): string =>
    all.length < least ? '' : `${name} ${all.map(textOf).join(' or ')}`;
  return [
    choice('route', routes, 2),
    choice('site', sites, 2),
    choice('method', methods, 2),
    choice('device', devices, 1),
    ...infusions.map(infused),
    totalDailyDose === '' ? '' : `total daily dose ${measured(totalDailyDose)}`,
  ];
}

/** RXV [HL7 4A.4.11]: without its limits it reads as more than it allows. */
function infused(from: Infusion): string {
  const per = from.maximumPer === '' ? '' : ` in ${measured(from.maximumPer)}`;
  const of = (name: string, type: string, parts: readonly string[]): string => {
    const told = parts.filter((part) => part !== '').join(', ');
    return told === '' ? '' : [name, type && `(${type})`, told].filter((part) => part !== '').join(' ');
  };
  const most = of('at most', '', [from.maximum, from.maximumVolume]);
  return [
    of('bolus', from.bolusType, [from.bolus, from.bolusVolume]),
    of('patient-controlled dose', from.pcaType, [from.pca, from.pcaVolume]),
    most === '' ? '' : `${most}${per}`,
    from.lockout === '' ? '' : `lockout ${measured(from.lockout)}`,
    of('syringe', '', [from.syringe]),
  ]
    .filter((text) => text !== '')
    .join(', ');
}

/** CQ: a number and the code of its unit. */
function measured(sent: string): string {
  return plain(sent.split(/[\^&]/).slice(0, 2).join(' '));
}

/** In words, without the separators of a coded one. */
function instructed(from: Medication): string[] {
  const said = from.instructionCodes.map(textOf).filter((text) => text !== '');
  return from.instructionCodes.length > 0 ? said : from.instructions;
}

function isCode({ code }: Coding): boolean {
  return code !== '';
}
