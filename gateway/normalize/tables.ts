/** The code and unit tables of a config, ready to be asked for each code of each message. */
import type { Config } from '../../proto/config/schema.ts';
import { relate } from '../../proto/units/ucum.ts';
import type { CodePolicy, CodeTables, MappedCode, UnitConversion, UnitTables } from './outcome.ts';
import { canonical, createUnitReader } from './units.ts';

export function compileCodeTables({ codes }: Pick<Config, 'codes'>): CodeTables {
  const found = new Map<string, MappedCode>();
  const policies = new Map<string, CodePolicy>();
  for (const [table, { from, to, unmapped, map }] of Object.entries(codes)) {
    const policy = policies.get(from) ?? { report: false, to: new Set() };
    policies.set(from, { report: policy.report || unmapped === 'worklist', to: new Set([...policy.to, to]) });
    for (const [code, { code: mapped, display }] of Object.entries(map)) {
      found.set(`${from}|${code}`, { system: to, code: mapped, display, table });
    }
  }
  return {
    lookup: (system, code) => found.get(`${system}|${code}`),
    policy: (system) => policies.get(system),
  };
}

/** The library is asked for relations only where a conversion is first met. */
export function compileUnitTables({ units }: Pick<Config, 'units'>): UnitTables {
  const reader = createUnitReader(new Map(Object.entries(units.map)));
  const conversions = new Map<string, () => UnitConversion | undefined>();
  for (const [name, { system, code, from, to, molecularWeight }] of Object.entries(units.convert)) {
    for (const unit of from) {
      conversions.set(
        `${system}|${code}|${canonical(unit)}`,
        once(() => {
          const relation = relate(unit, to, molecularWeight);
          // The check of the config has tried this very pair.
          if ('problem' in relation)
            throw new Error(`units.convert.${name} was not checked before it was run`);
          return { name, from: unit, to, relation };
        }),
      );
    }
  }
  return {
    read: (unit) => reader.read(unit),
    report: units.unmapped === 'worklist',
    conversion: (system, code, unit) =>
      conversions.size === 0 ? undefined : conversions.get(`${system}|${code}|${unit}`)?.(),
  };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
