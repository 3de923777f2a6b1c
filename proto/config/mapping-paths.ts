/**
 * The two ends of a mapping's line: a field of the canonical event, and a place of an HL7 v2 message.
 *
 *   observation.value              of every observation, from its own OBX
 *   patient.birthDate              of the event
 *   patient.identifiers[+]         one more entry, given by its fields
 *   extensions.kit                 a text of the site's own, under the name `kit`
 *
 *   OBX-5   ZBX-3.2   PID-3[2].4.1   ZBX[2]-3     segment[nth]-field[repetition].component.subcomponent
 */
import { eventFields } from '../gen/event-fields.ts';
import { nearest } from './nearest.ts';

export interface Target {
  /** `observation`: once for each observation of the event. */
  of: 'event' | 'observation';
  /** Fields from there down; of `extensions` the name is the last. */
  steps: readonly string[];
  /** Messages that the steps go through, where one has to be made. */
  types: readonly string[];
  /** One more entry of the list at the end. */
  appends: boolean;
  /** What is set: `string`, `ClinicalTime`, `Code`, or a message given by its fields. */
  type: string;
}

export interface Location {
  segment: string;
  /** From 1, in the part of the message that is looked at. */
  nth: number;
  field: number;
  repetition: number;
  component: number;
  /** 0: the component's first. */
  subcomponent: number;
}

export type Parsed<T> = ({ problem?: never } & T) | { problem: { message: string; hint: string } };

/** Fields that the gateway gives: what identifies an event, its class and its provenance are not a mapping's. */
const notMapped = new Set([
  ...[
    'id',
    'gateway',
    'site',
    'position',
    'kind',
    'class',
    'budgetMs',
    'provenance',
    'observations',
    'nulls',
  ],
]);

export function parseTarget(text: string): Parsed<{ target: Target }> {
  const [root = '', ...rest] = text.split('.');
  if (root === 'extensions') {
    const [name = '', ...more] = rest;
    if (more.length === 0 && /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name)) {
      return {
        target: { of: 'event', steps: ['extensions', name], types: [], appends: false, type: 'string' },
      };
    }
    return wrong(
      `"${clip(text)}" is not a name for an extension`,
      'letters, digits, - and _: extensions.kit',
    );
  }
  const of = root === 'observation' ? 'observation' : 'event';
  if (of === 'event' && notMapped.has(root)) {
    const hint =
      root === 'observations'
        ? 'write observation.…: it is set for each from its own OBX'
        : 'the gateway gives it';
    return wrong(`${root} is not for a mapping to set`, hint);
  }
  let type = of === 'observation' ? 'Observation' : 'ClinicalEvent';
  const steps: string[] = [];
  const types: string[] = [];
  const words = of === 'observation' ? rest : [root, ...rest];
  if (words.length === 0) return wrong('it is not said which field', 'for example: observation.value');
  for (const [index, word] of words.entries()) {
    const appends = word.endsWith('[+]');
    const name = appends ? word.slice(0, -3) : word;
    const fields = eventFields[type] ?? {};
    const found = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (found === undefined) {
      const names = Object.keys(fields);
      const near = nearest(name, names);
      const hint = near === undefined ? `there are: ${names.join(', ')}` : `did you mean "${near}"?`;
      return wrong(`${type === 'ClinicalEvent' ? 'the event' : type} has no field "${clip(name)}"`, hint);
    }
    steps.push(name);
    const element = /^list<(.+)>$/.exec(found)?.[1];
    const last = index === words.length - 1;
    if (element !== undefined && !(appends && last)) {
      return wrong(
        `${name} is a list`,
        `write ${[...words.slice(0, index), `${name}[+]`].join('.')} to add an entry`,
      );
    }
    if (element === undefined && appends) return wrong(`${name} is not a list`, 'leave [+] out');
    const inner = element ?? found;
    if (last) {
      if (inner === 'int' || inner === 'bool' || inner === 'Attachment' || inner === 'Extension') {
        return wrong(
          `${name} is not for a mapping to set`,
          'texts, codes, times and what is made of texts are',
        );
      }
      return { target: { of, steps, types, appends, type: inner } };
    }
    if (inner === 'string') return wrong(`${name} is a text and has no fields`, 'end the path there');
    types.push(inner);
    type = inner;
  }
  return wrong('it is not said which field', '');
}

export function parseLocation(text: string): Parsed<{ location: Location }> {
  const [, segment, nth, field, repetition, component, subcomponent] =
    /^([A-Z][A-Z0-9]{2})(?:\[(\d{1,3})\])?-(\d{1,3})(?:\[(\d{1,3})\])?(?:\.(\d{1,3})(?:\.(\d{1,3}))?)?$/.exec(
      text,
    ) ?? [];
  const numbers = [nth, field, repetition, component].map((one) => Number(one ?? 1));
  if (segment === undefined || numbers.includes(0) || subcomponent === '0') {
    return wrong(`"${clip(text)}" is not a place in a message`, 'for example: OBX-5, PID-3[2].4, ZBX-3.1');
  }
  const [first = 1, at = 1, again = 1, part = 1] = numbers;
  return {
    location: {
      ...{ segment, nth: first, field: at, repetition: again, component: part },
      subcomponent: Number(subcomponent ?? 0),
    },
  };
}

function wrong(message: string, hint: string): { problem: { message: string; hint: string } } {
  return { problem: { message, hint } };
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
