/** Payload templates of a checked config, made ready to run: paths parsed, predicates compiled. */
import { compilePayloadPredicate, type PayloadPredicate } from '../../../proto/config/cel-payload.ts';
import { type JsonPath, mustParsePath } from '../../../proto/config/json-path.ts';
import type { Config, PayloadConfig } from '../../../proto/config/schema.ts';

type ObservationConfig = PayloadConfig['observations'][number];
type AlarmConfig = NonNullable<PayloadConfig['alarm']>;
type IdentifierConfig = PayloadConfig['device'];

/** The first of the paths that finds a value gives it. */
export type Paths = readonly JsonPath[];
export interface IdentifierFrom {
  from: Paths;
  system: string;
  type: string;
}
export interface CodingFrom {
  from: Paths;
  system: string;
  code: string;
  display: string;
}
export interface WordFrom {
  is: string;
  from: Paths;
  words: ReadonlyMap<string, string>;
}

export interface ObservationTemplate {
  /** Where it stands in the config: `observations[2]`. */
  at: string;
  each: JsonPath | undefined;
  when: PayloadPredicate | undefined;
  code: readonly CodingFrom[];
  value: Paths;
  /** The paths of the value, as they were written. */
  valueText: string;
  coded: ObservationConfig['value']['coded'];
  unit: { text: string; ucum: string; from: Paths };
  required: boolean;
  status: WordFrom;
  interpretation: Paths;
  referenceRange: Paths;
  time: Paths;
}

export interface AlarmTemplate {
  when: PayloadPredicate | undefined;
  id: IdentifierFrom | undefined;
  code: readonly CodingFrom[];
  text: Paths;
  time: Paths;
  priority: WordFrom | undefined;
  phase: WordFrom | undefined;
  state: WordFrom | undefined;
  inactivation: WordFrom | undefined;
  type: WordFrom | undefined;
}

export interface PayloadTemplate {
  name: string;
  each: JsonPath;
  when: PayloadPredicate | undefined;
  device: IdentifierFrom;
  patient: IdentifierFrom | undefined;
  encounter: IdentifierFrom | undefined;
  location: { unit: Paths; room: Paths; bed: Paths; facility: Paths } | undefined;
  time: Paths;
  correlation: Paths;
  panel: readonly CodingFrom[];
  observations: readonly ObservationTemplate[];
  alarm: AlarmTemplate | undefined;
}

/** By source. The config must have been checked; what cannot be compiled throws. */
export function compilePayloads(config: Config): ReadonlyMap<string, readonly PayloadTemplate[]> {
  const compiled = new Map<string, PayloadTemplate>();
  for (const [name, one] of Object.entries(config.payloads)) compiled.set(name, template(name, one));
  const bySource = new Map<string, readonly PayloadTemplate[]>();
  for (const [source, { payloads }] of Object.entries(config.sources)) {
    if (payloads !== undefined)
      bySource.set(
        source,
        payloads.map((name) => compiled.get(name) as PayloadTemplate),
      );
  }
  return bySource;
}

function template(name: string, config: PayloadConfig): PayloadTemplate {
  const { location, alarm: alarming } = config;
  return {
    name,
    each: mustParsePath(config.each),
    when: predicate(config.when),
    device: identifier(config.device),
    patient: config.patient && identifier(config.patient),
    encounter: config.encounter && identifier(config.encounter),
    location: location && {
      unit: paths(location.unit),
      room: paths(location.room),
      bed: paths(location.bed),
      facility: paths(location.facility),
    },
    time: paths(config.time),
    correlation: paths(config.correlation),
    panel: codings(config.panel),
    observations: config.observations.map(observation),
    alarm: alarming && alarm(alarming),
  };
}

function observation(config: ObservationConfig, i: number): ObservationTemplate {
  return {
    at: `observations[${i}]`,
    each: config.each === undefined ? undefined : mustParsePath(config.each),
    when: predicate(config.when),
    code: codings(config.code),
    value: paths(config.value.from),
    valueText: config.value.from.join(', '),
    coded: config.value.coded,
    unit: { ...config.unit, from: paths(config.unit.from) },
    required: config.required,
    status: word(config.status),
    interpretation: paths(config.interpretation),
    referenceRange: paths(config.referenceRange),
    time: paths(config.time),
  };
}

function alarm(config: AlarmConfig): AlarmTemplate {
  return {
    when: predicate(config.when),
    id: config.id && identifier(config.id),
    code: codings(config.code),
    text: paths(config.text),
    time: paths(config.time),
    priority: config.priority && word(config.priority),
    phase: config.phase && word(config.phase),
    state: config.state && word(config.state),
    inactivation: config.inactivation && word(config.inactivation),
    type: config.type && word(config.type),
  };
}

function identifier({ from, system, type }: IdentifierConfig): IdentifierFrom {
  return { from: paths(from), system, type };
}

function codings(config: PayloadConfig['panel']): readonly CodingFrom[] {
  return (config ?? []).map(({ from, system, code, display }) => ({
    from: paths(from),
    system,
    code,
    display,
  }));
}

function word({ is, from, words }: ObservationConfig['status']): WordFrom {
  return { is, from: paths(from), words: new Map(Object.entries(words)) };
}

function paths(texts: readonly string[] | undefined): Paths {
  return (texts ?? []).map(mustParsePath);
}

function predicate(source: string | undefined): PayloadPredicate | undefined {
  if (source === undefined) return undefined;
  const { predicate: compiled, problem } = compilePayloadPredicate(source) as ReturnType<
    typeof compilePayloadPredicate
  > & { predicate?: PayloadPredicate };
  if (compiled === undefined) throw new Error(problem?.message);
  return compiled;
}
