/**
 * Rows that do not open, told once in each life, whoever met them: what a part makes of one is its own affair, and
 * none is passed over in silence. Their tables and keys are told, never anything of what stands in them.
 */
import { DamagedRow, type Store } from './store.ts';

/** As many are told; a disk that damages more has been told of. */
const toldMax = 10_000;

export function tellingDamage(store: Store, tell: (row: DamagedRow) => void): Store {
  const told = new Set<string>();
  const look = (met: unknown): void => {
    if (!(met instanceof DamagedRow) || told.size >= toldMax) return;
    const name = `${met.table} ${met.key.toString('latin1')}`;
    if (told.has(name)) return;
    told.add(name);
    tell(met);
  };
  const met = (error: unknown): never => {
    look(error);
    throw error;
  };
  return {
    write: (rows) => store.write(rows),
    get: (table, key) => store.get(table, key).catch(met),
    range: (table, range) => store.range(table, range).catch(met),
    async page(table, range) {
      const page = await store.page(table, range);
      for (const row of page) look(row);
      return page;
    },
    turn: () => store.turn(),
    hasRoom: (bytes) => store.hasRoom(bytes),
    close: () => store.close(),
  };
}
