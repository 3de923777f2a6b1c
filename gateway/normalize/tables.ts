/** The code and unit tables of a config, ready to be asked for each code of each message. */
import type { Config } from '../../proto/config/schema.ts';
import { relate } from '../../proto/units/ucum.ts';
import type { CodePolicy, CodeTables, MappedCode, UnitConversion, UnitTables } from './outcome.ts';
import { canonical, createUnitReader } from './units.ts';

export function compileCodeTables({ codes }: Pick<Config, 'codes'>): CodeTables {
  const found = new Map<string, Map<string, MappedCode>>();
  const policies = new Map<string, CodePolicy>();
  for (const [table, { from, to, unmapped, map }] of Object.entries(codes)) {
    const policy = policies.get(from) ?? { report: false, to: new Set() };
    policies.set(from, { report: policy.report || unmapped === 'worklist', to: new Set([...policy.to, to]) });
    const entries = found.get(from) ?? new Map<string, MappedCode>();
    found.set(from, entries);
    for (const [code, { code: mapped, display }] of Object.entries(map)) {
      entries.set(code, { system: to, code: mapped, display, table });
    }
  }
  return {
    lookup: (system, code) => found.get(system)?.get(code),
    policy: (system) => policies.get(system),
  };
}

/** The library is asked for relations only where a conversion is first met. */
export function compileUnitTables({ units }: Pick<Config, 'units'>): UnitTables {
  const reader = createUnitReader(new Map(Object.entries(units.map)));
  /** By code first: most codes have none, and then nothing is built to look one up. */
  const conversions = new Map<string, { system: string; unit: string; make(): UnitConversion }[]>();
  for (const [name, { system, code, from, to, molecularWeight }] of Object.entries(units.convert)) {
    const ofCode = conversions.get(code) ?? [];
    conversions.set(code, ofCode);
    for (const unit of from) {
      const make = once(() => {
        const relation = relate(unit, to, molecularWeight);
        // The check of the config has tried this very pair.
        if ('problem' in relation) throw new Error(`units.convert.${name} was not checked before it was run`);
        return { name, from: unit, to, relation };
      });
      ofCode.push({ system, unit: canonical(unit), make });
    }
  }
  return {
    read: (unit) => reader.read(unit),
    report: units.unmapped === 'worklist',
    conversion: (system, code, unit) =>
      conversions
        .get(code)
        ?.find((one) => one.system === system && one.unit === unit)
        ?.make(),
  };
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
