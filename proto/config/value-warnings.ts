/**
 * Values that are of their form and most likely not meant. They are told and not refused: what an earlier build ran has
 * to run after an upgrade as well.
 */
import { isFigures, readAddress } from '../address.ts';
import { type Path, pathText } from './position.ts';
import type { Config } from './schema.ts';
import { oid } from './words.ts';

/** Sentences. The config has been checked. */
export function valueWarnings(config: Config): string[] {
  const found = [...textsOf(config, [])].flatMap(([path, value]) => {
    const odd = oddText(value);
    return odd === undefined ? [] : [`${pathText(path)}: ${odd}`];
  });
  for (const [name, { address }] of Object.entries(config.destinations)) {
    const { host = '' } = readAddress(address) ?? {};
    const path = pathText(['destinations', name, 'address']);
    if (/^(?:0\.0\.0\.0|[0:]*:[0:]*)$/.test(host))
      found.push(`${path}: ${address} is where a program listens, no place to send to: name the receiver.`);
    else if (isFigures(host))
      found.push(`${path}: ${host} is not an IP address: write four numbers up to 255, or a name.`);
  }
  for (const [name, { molecularWeight }] of Object.entries(config.units.convert))
    if (molecularWeight !== undefined && molecularWeight < 1)
      found.push(
        `${pathText(['units', 'convert', name, 'molecularWeight'])}: it is in g/mol, and nothing weighs less than 1.`,
      );
  return found;
}

function oddText(value: string): string | undefined {
  if (/^urn:oid:/i.test(value) && !(value.startsWith('urn:oid:') && oid.test(value.slice(8))))
    return `"${value}" is not an OID as events have it: numbers with points, the first 0, 1 or 2, as in urn:oid:2.16.840.1.113883.3.1.`;
  const [, day] = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)$/.exec(value) ?? [];
  // Date takes the 31st of February for the 3rd of March.
  if (day === undefined || new Date(day).toISOString().startsWith(day)) return undefined;
  return `there is no ${day}: correct the day.`;
}

function* textsOf(value: unknown, path: Path): Generator<[Path, string]> {
  if (typeof value === 'string') yield [path, value];
  else if (Array.isArray(value)) for (const [at, one] of value.entries()) yield* textsOf(one, [...path, at]);
  else if (typeof value === 'object' && value !== null)
    for (const [key, one] of Object.entries(value)) yield* textsOf(one, [...path, key]);
}
