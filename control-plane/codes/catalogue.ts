/**
 * What the configs of all sites know of codes: what a site maps by now, and what another site's
 * table would suggest. Suggestions are exact (the same code, the same text) and unanimous; where
 * two tables differ there is none. A person decides; nothing here changes a config.
 */
import type { CodeTables, UnitTables } from '../../gateway/normalize/outcome.ts';
import { compileCodeTables, compileUnitTables } from '../../gateway/normalize/tables.ts';
import { checkApart } from '../../gateway/process/config-check.ts';
import { ucumSystem } from '../../proto/code-systems.ts';
import { type Config, configSchema } from '../../proto/config/schema.ts';
import type { UnmappedCode } from '../../proto/gen/hilum/v1/session.ts';
import { suggestUcum } from '../../proto/units/ucum.ts';

export interface Target {
  system: string;
  code: string;
  display: string;
  /** Where it comes from. */
  because: string;
}

interface SiteCodes {
  config: Config;
  codes: CodeTables;
  units: UnitTables;
}

export class Catalogue {
  readonly #sites = new Map<string, SiteCodes>();
  /** Exact key → what the tables of all sites say about it. */
  readonly #known = new Map<string, Target[]>();

  /** @param configs site → the text of a config, which was checked when it was pushed */
  static async of(configs: ReadonlyMap<string, string>): Promise<Catalogue> {
    const read = new Map<string, Config>();
    for (const [site, yaml] of configs) {
      const { config } = await checkApart(yaml);
      // A config of an older build that this one would refuse: its site is listed as if it had none.
      if (config !== undefined) read.set(site, config);
    }
    return new Catalogue(read);
  }

  constructor(configs: ReadonlyMap<string, Config>) {
    for (const [site, config] of configs) {
      this.#sites.set(site, { config, codes: compileCodeTables(config), units: compileUnitTables(config) });
      this.#read(site, config);
    }
  }

  /** What the site's config makes of it now; undefined: nothing. */
  mapped(site: string, { field, system, name, code, text }: UnmappedCode): Target | undefined {
    const { codes, units } = this.#sites.get(site) ?? builtIn();
    if (field === 'unit') {
      const coding = { system, code, display: text, version: '', name, mapped: false };
      const ucum = units.read({ text, codings: [coding] });
      return ucum === undefined ? undefined : { system: ucumSystem, code: ucum, display: '', because: '' };
    }
    const found = codes.lookup(system, code) ?? codes.lookup(name, code);
    return found === undefined ? undefined : { ...found, because: '' };
  }

  suggest({ field, code, text }: UnmappedCode): Target | undefined {
    if (field === 'unit') return unanimous(this.#known.get(keys.unit(code))) ?? fromLibrary(code);
    return (
      unanimous(this.#known.get(keys.code(code))) ??
      unanimous(this.#known.get(keys.text(text))) ??
      unanimous(this.#known.get(keys.text(code)))
    );
  }

  /** The site's table that maps this coding system already; the one for this source alone before everybody's. */
  tableOf(
    site: string,
    { system, name }: UnmappedCode,
  ): { name: string; from: string; to: string } | undefined {
    const tables = Object.entries(this.#sites.get(site)?.config.codes ?? {});
    const found =
      tables.find(([, { from }]) => from === system) ?? tables.find(([, { from }]) => from === name);
    return found === undefined ? undefined : { name: found[0], from: found[1].from, to: found[1].to };
  }

  #read(site: string, { codes, units }: Config): void {
    for (const [table, { to, map }] of Object.entries(codes)) {
      for (const [code, { code: mapped, display }] of Object.entries(map)) {
        const target = { system: to, code: mapped, display };
        const where = `of the table ${table} of ${site}`;
        this.#add(keys.code(code), { ...target, because: `code ${where}` });
        this.#add(keys.text(code), { ...target, because: `code ${where}` });
        this.#add(keys.text(display), { ...target, because: `text ${where}` });
      }
    }
    for (const [text, unit] of Object.entries(units.map)) {
      const because = `unit table of ${site}`;
      this.#add(keys.unit(text), { system: ucumSystem, code: unit, display: '', because });
    }
  }

  #add(key: string, target: Target): void {
    const found = this.#known.get(key);
    if (found === undefined) this.#known.set(key, [target]);
    else found.push(target);
  }
}

const keys = {
  code: (code: string) => `c\n${code}`,
  text: (text: string) => `t\n${text.trim().toLowerCase()}`,
  unit: (text: string) => `u\n${text}`,
};

function unanimous(found: readonly Target[] | undefined): Target | undefined {
  const [first] = found ?? [];
  if (first === undefined || first.code === '') return undefined;
  return found?.every(({ system, code }) => system === first.system && code === first.code)
    ? first
    : undefined;
}

function fromLibrary(text: string): Target | undefined {
  const found = suggestUcum(text);
  if (found === undefined) return undefined;
  return { system: ucumSystem, code: found.code, display: found.name, because: 'UCUM synonym' };
}

let empty: Pick<SiteCodes, 'codes' | 'units'> | undefined;

/** Of a site that was never given a config. */
function builtIn(): Pick<SiteCodes, 'codes' | 'units'> {
  const config = configSchema.parse({});
  empty ??= { codes: compileCodeTables(config), units: compileUnitTables(config) };
  return empty;
}
