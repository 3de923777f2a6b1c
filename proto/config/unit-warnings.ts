/**
 * Units of a config that are UCUM and most likely not meant: `Mg/dL` is megagrams and `ml/H` henries, for somebody whose
 * fingers slipped on a capital.
 */
import { isPlausible } from '../units/plausible-unit.ts';
import type { Path } from './position.ts';
import { pathText } from './position.ts';
import type { Config } from './schema.ts';

/** Sentences. The config has been checked. */
export function unitWarnings(config: Config): string[] {
  return [...unitsOf(config)]
    .filter(([, unit]) => unit !== '1' && !isPlausible(unit))
    .map(
      ([path, unit]) =>
        `${pathText(path)}: ${unit} is UCUM, and no unit that a hospital measures in: case counts (mg/dL, mL/h, Cel).`,
    );
}

function* unitsOf({ units, critical, payloads }: Config): Generator<[Path, string]> {
  for (const [sent, unit] of Object.entries(units.map)) yield [['units', 'map', sent], unit];
  for (const [name, { from, to }] of Object.entries(units.convert)) {
    for (const unit of from) yield [['units', 'convert', name, 'from'], unit];
    yield [['units', 'convert', name, 'to'], to];
  }
  for (const [name, { unit }] of Object.entries(critical))
    if (unit !== undefined) yield [['critical', name, 'unit'], unit];
  for (const [name, { observations }] of Object.entries(payloads))
    for (const [at, { unit }] of observations.entries())
      if (unit.ucum !== '') yield [['payloads', name, 'observations', at, 'unit', 'ucum'], unit.ucum];
}
