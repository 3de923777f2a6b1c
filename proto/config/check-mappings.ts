/** Mappings, checked against the event's fields, the notation of places, and the sources. */
import { eventFields } from '../gen/event-fields.ts';
import { namesSegment, segmentNames } from '../segment-names.ts';
import { type Found, noSuch } from './check.ts';
import { parseLocation, parseTarget } from './mapping-paths.ts';
import { type MappingScalar, mappingLimits } from './mapping-schema.ts';
import { nearest } from './nearest.ts';
import type { Path, Positions } from './position.ts';
import type { Config } from './schema.ts';

export function checkMappings(config: Config, positions: Positions): Found[] {
  const found: Found[] = [];
  const mappings = Object.entries(config.mappings);
  if (mappings.length > mappingLimits.mappingsMax) {
    const message = `more than ${mappingLimits.mappingsMax} mappings`;
    found.push({ path: ['mappings'], message, hint: 'put lines of one source into one', atKey: true });
  }
  for (const [name, { source, set }] of mappings) {
    const base = ['mappings', name];
    source?.forEach((one, i) => {
      if (Object.hasOwn(config.sources, one)) return;
      const inList = [...base, 'source', i];
      const path = positions.exists(inList) ? inList : [...base, 'source'];
      found.push({ path, ...noSuch('source', one, Object.keys(config.sources)) });
    });
    const lines = Object.entries(set);
    if (lines.length === 0 || lines.length > mappingLimits.linesMax) {
      const message = lines.length === 0 ? 'nothing is set' : `more than ${mappingLimits.linesMax} lines`;
      found.push({
        path: [...base, 'set'],
        message,
        hint: 'for example: { observation.value: OBX-5.2 }',
        atKey: true,
      });
    }
    for (const [to, line] of lines) found.push(...checkLine([...base, 'set', to], to, line, positions));
  }
  return found;
}

function checkLine(
  path: Path,
  to: string,
  line: Config['mappings'][string]['set'][string],
  positions: Positions,
): Found[] {
  const parsed = parseTarget(to);
  if (parsed.problem !== undefined) return [{ path, ...parsed.problem, atKey: true }];
  const { type } = parsed.target;
  if (!('fields' in line)) {
    if (single.has(type)) return checkScalar(path, type, line, positions);
    const hint = `write { fields: { ${Object.keys(eventFields[type] ?? {})[0]}: … } }`;
    return [{ path, message: `${type} is made of several fields`, hint }];
  }
  if (single.has(type) && type !== 'Code') {
    return [{ path, message: `a ${words[type] ?? type} has no fields here`, hint: 'give a place: ZBX-3' }];
  }
  const fields = eventFields[type] ?? {};
  return Object.entries(line.fields).flatMap(([name, scalar]): Found[] => {
    const inner = [...path, 'fields', name];
    const kind = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (kind === undefined) {
      const near = nearest(name, Object.keys(fields));
      const hint =
        near === undefined ? `there are: ${Object.keys(fields).join(', ')}` : `did you mean "${near}"?`;
      return [{ path: inner, message: `${type} has no field "${name}"`, hint, atKey: true }];
    }
    if (single.has(kind)) return checkScalar(inner, kind, scalar, positions);
    return [
      { path: inner, message: `${name} is not a text, a code or a time`, hint: 'leave it out', atKey: true },
    ];
  });
}

function checkScalar(path: Path, type: string, scalar: MappingScalar, positions: Positions): Found[] {
  if ('const' in scalar) {
    if (type === 'string') return [];
    return [{ path, message: `a ${words[type]} is read from a place`, hint: 'write where: ZBX-3' }];
  }
  const found: Found[] = [];
  scalar.from.forEach((place, i) => {
    const ways: Path[] = [[...path, 'from', i], [...path, 'from'], path];
    const { problem } = parseLocation(place);
    if (problem !== undefined)
      found.push({ path: ways.find((way) => positions.exists(way)) ?? path, ...problem });
  });
  const { map, case: letters, date } = { map: undefined, case: undefined, date: undefined, ...scalar };
  if (Object.keys(map ?? {}).length > mappingLimits.wordsMax) {
    found.push({
      path: [...path, 'map'],
      message: `more than ${mappingLimits.wordsMax} words`,
      hint: 'use a code table (codes)',
    });
  }
  if (type === 'Code' && (map !== undefined || letters !== undefined || date !== undefined)) {
    found.push({
      path,
      message: 'a code is taken as it is sent',
      hint: 'use a code table (codes) to map it',
    });
  }
  if (date !== undefined && map !== undefined) {
    found.push({ path, message: 'a date is not mapped by words', hint: 'leave one of the two out' });
  }
  return found;
}

/** Meant before others that are as near. */
const usual = ['PID', 'PV1', 'OBR', 'OBX', 'ORC', 'NTE', 'MSH'];

/** Segments that HL7 does not have and that are no site's own: mistyped, or a sender's that only it knows. */
export function placeWarnings(config: Config): string[] {
  const warnings: string[] = [];
  for (const [name, { set }] of Object.entries(config.mappings))
    for (const [to, line] of Object.entries(set))
      for (const scalar of 'fields' in line ? Object.values(line.fields) : [line])
        for (const place of 'from' in scalar ? scalar.from : []) {
          const segment = place.slice(0, 3);
          if (namesSegment(segment)) continue;
          const near = nearest(segment, [...usual, ...segmentNames]);
          const meant = near === undefined ? 'the segments of a site begin with Z' : `did you mean ${near}?`;
          warnings.push(
            `The mapping "${name}" reads ${to} from ${place}: HL7 has no segment ${segment}; ${meant}`,
          );
        }
  return warnings;
}

/** What one place says. */
const single: ReadonlySet<string> = new Set(['string', 'ClinicalTime', 'Code']);
const words: Readonly<Record<string, string>> = { string: 'text', ClinicalTime: 'time', Code: 'code' };
