/** Payload templates and topics that are right by themselves and most likely not meant: they hear or say nothing, or all. */
import { mqttTopicLevelsMax } from '../limits.ts';
import { compilePayloadPredicate, type PayloadPredicate } from './cel-payload.ts';
import { withoutTexts } from './lowering.ts';
import type { Config, PayloadConfig } from './schema.ts';

/** Sentences; empty where there is nothing to tell. The config has been checked. */
export function deviceWarnings(config: Config): string[] {
  return [...topicWarnings(config), ...templateWarnings(config)];
}

function topicWarnings({ sources }: Config): string[] {
  const warnings: string[] = [];
  const before: { source: string; listener: string; filter: string }[] = [];
  for (const [source, { listener, topics = [] }] of Object.entries(sources)) {
    for (const filter of topics) {
      const levels = levelsOf(filter);
      if (levels > mqttTopicLevelsMax) {
        warnings.push(
          `The topic filter "${filter}" of the source "${source}" has ${levels} levels, and a topic at most ${mqttTopicLevelsMax}: it hears nothing.`,
        );
      }
      const first = before.find(
        (one) => one.listener === listener && one.source !== source && covers(one.filter, filter),
      );
      if (first !== undefined) {
        warnings.push(
          `The topic filter "${filter}" of the source "${source}" hears nothing: all that it matches goes to the source "${first.source}" ("${first.filter}"), which stands before it.`,
        );
      }
      before.push({ source, listener, filter });
    }
  }
  return warnings;
}

/** Levels that a topic must have; `#` stands for none as well. */
function levelsOf(filter: string): number {
  return filter.replace(/\/#$/, '').split('/').length;
}

/** True where one filter matches all that the other does [MQTT-4.7]. */
function covers(filter: string, other: string): boolean {
  const [wide, narrow] = [filter.split('/'), other.split('/')];
  for (const [at, level] of wide.entries()) {
    if (level === '#') return true;
    if (at >= narrow.length || narrow[at] === '#' || (level !== '+' && level !== narrow[at])) return false;
  }
  return wide.length === narrow.length;
}

function templateWarnings({ payloads, sources }: Config): string[] {
  const warnings: string[] = [];
  for (const [name, template] of Object.entries(payloads)) {
    const of = `the payload template "${name}"`;
    const users = Object.entries(sources).filter(([, source]) => source.payloads?.includes(name));
    if (users.length === 0)
      warnings.push(`No source names ${of}: add it to the payloads of a source, or remove it.`);
    for (const [source, { topics = ['#'] }] of users) {
      const levels = Math.max(
        ...topics.map((filter) => (/(^|\/)#$/.test(filter) ? mqttTopicLevelsMax : levelsOf(filter))),
      );
      for (const level of topicLevels(template)) {
        if (level < levels) continue;
        warnings.push(
          `The payload template "${name}" reads topic[${level}], which no topic of the source "${source}" has: the first level is topic[0], and a topic has at most ${mqttTopicLevelsMax}.`,
        );
      }
    }
    for (const [place, when] of conditions(template, of)) {
      if (!neverHolds(when)) continue;
      warnings.push(
        `The "when" of ${place} reads nothing of the payload and never holds: compare a value, as in text("@.type") == "hr".`,
      );
    }
    if (alwaysAlarms(template)) {
      warnings.push(
        `The alarm of ${of} has a code that stands in the template and no "when", so every item becomes an alarm: add a "when" that says which, or read the code from the payload (from).`,
      );
    }
  }
  return warnings;
}

/** Of paths, and of those inside conditions. */
function topicLevels(template: PayloadConfig): Set<number> {
  const levels = new Set<number>();
  const visit = (value: unknown): void => {
    if (value !== null && typeof value === 'object') Object.values(value).forEach(visit);
    else if (typeof value === 'string')
      for (const [, level] of value.matchAll(/(?:^|["'])topic\[(\d+)\](?:$|["'])/g))
        levels.add(Number(level));
  };
  visit(template);
  return levels;
}

function conditions(template: PayloadConfig, of: string): [string, string][] {
  const found: [string, string | undefined][] = [
    [of, template.when],
    ...template.observations.map(({ when }, i): [string, string | undefined] => [
      `observations[${i}] of ${of}`,
      when,
    ]),
    [`the alarm of ${of}`, template.alarm?.when],
  ];
  return found.filter((one): one is [string, string] => one[1] !== undefined);
}

/** Of one that asks for nothing, which is the same for every payload. */
function neverHolds(when: string): boolean {
  if (/\b(?:topic|text|present)\b/.test(withoutTexts(when))) return false;
  const { predicate } = compilePayloadPredicate(when) as ReturnType<typeof compilePayloadPredicate> & {
    predicate?: PayloadPredicate;
  };
  return predicate?.test({ topic: '', text: () => '', present: () => false }) !== true;
}

/** Where the items are alarms and nothing else, a fixed code is right. */
function alwaysAlarms({ observations, alarm }: PayloadConfig): boolean {
  const fixed = alarm?.code?.some(({ from }) => from.length === 0) ?? false;
  return fixed && alarm?.when === undefined && observations.length > 0;
}
