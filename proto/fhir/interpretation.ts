/** Observation.interpretation: what a flag says with text and codings, else its code alone. */
import type { Code, Observation } from '../gen/hilum/v1/event.ts';
import { coded, concept, hl7System } from './datatypes.ts';
import type { Element } from './json.ts';
import { interpretations } from './tables.ts';

export function interpretationsOf(from: Observation): Element[] {
  const told = new Set(from.interpretationCodes.flatMap(wordsOf));
  const bare = from.interpretations.filter((sent) => sent !== '' && !told.has(sent));
  return [...bare.map(flag), ...from.interpretationCodes.map(said)];
}

function flag(sent: string): Element {
  return interpretations.has(sent) ? { ...coded(system, sent), text: sent } : { text: sent };
}

const system = hl7System('v3-ObservationInterpretation');

/** Beside what was sent the code that FHIR has for it. */
function said(from: Code): Element {
  const whole = concept(from) ?? {};
  const known = from.codings.find(({ code }) => interpretations.has(code));
  const { coding = [] } = whole as { coding?: Element[] };
  const text = from.text || from.codings[0]?.code;
  return {
    ...whole,
    coding: known ? [...coding, ...(coded(system, known.code).coding as Element[])] : coding,
    text,
  };
}

function wordsOf({ text, codings }: Code): string[] {
  const codes = codings.flatMap(({ mapped, code }) => (mapped || code === '' ? [] : code));
  return codes.length === 0 ? [text] : codes;
}
