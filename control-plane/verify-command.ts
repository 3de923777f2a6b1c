/** `hilum-control-plane verify`: walks every event, the rows beside them and the audit chain; exit 1 when something is not what it was. */
import { join } from 'node:path';
import { nowUs64 } from '../gateway/process/clock.ts';
import { exitCode, HilumError, messageOf } from '../gateway/process/errors.ts';
import { loadKey } from '../gateway/process/keys.ts';
import { wasMade } from '../gateway/process/lmdb.ts';
import { type Form, printObject } from '../gateway/process/output.ts';
import { ownDirectory } from '../gateway/process/owner.ts';
import { mayLookInto } from '../gateway/process/storage.ts';
import { EventBlock } from '../proto/gen/hilum/v1/store.ts';
import { AuditChain } from './audit/chain.ts';
import { unpack } from './eventlog/block.ts';
import { keyFile } from './plane.ts';
import { loadSettings } from './settings.ts';
import { openLmdbStore } from './store/lmdb-store.ts';
import { DamagedRow, type Store, walk } from './store/store.ts';

const pageRows = 100;

export async function verifyStore(options: {
  data: string;
  settings?: string;
  output: Form;
}): Promise<number> {
  mayLookInto(options.data);
  const directory = join(options.data, 'store');
  if (!wasMade(directory)) {
    throw new HilumError('store-missing', `There is no store in ${directory}.`, {
      hint: 'Check --data.',
      exit: exitCode.badConfig,
    });
  }
  await ownDirectory(options.data, { readOnly: true });
  const { settings, file } = loadSettings(options.data, options.settings);
  const key = loadKey(keyFile(options.data, settings, file), false);
  const store = await openLmdbStore({
    directory,
    key,
    readOnly: true,
    onFault: () => process.exit(exitCode.tryAgain),
  });
  const { events, damage } = await walkEvents(store);
  const audit = await new AuditChain(store, nowUs64).verify();
  await store.close();
  const report = { events: { count: events, damage }, audit };
  printObject(
    options.output,
    // 64-bit integers as strings, as everywhere.
    JSON.parse(JSON.stringify(report, (_name, value) => (typeof value === 'bigint' ? String(value) : value))),
    () =>
      `events  ${events}${damage === '' ? ', all there' : `, DAMAGED: ${damage}`}\naudit   ${audit.entries} entries, ${audit.intact ? 'intact' : `BROKEN at ${audit.firstBad}: ${audit.reason}`}\n`,
  );
  return damage === '' && audit.intact ? exitCode.done : exitCode.failed;
}

/** Every event of the log, and every row beside them; `damage` names what is wrong first, '' where nothing is. */
async function walkEvents(store: Store): Promise<{ events: number; damage: string }> {
  let events = 0;
  let damage = '';
  const bad = (text: string) => {
    if (damage === '') damage = text;
  };
  let next = 1n;
  /** How many events stood in a row that cannot be read is not known. */
  let unknown = false;
  for await (const row of walk(store, 'events', pageRows)) {
    const first = row.key.readBigUInt64BE(0);
    if (first !== next && !unknown) bad(`event ${next} is missing`);
    unknown = false;
    try {
      if (row instanceof DamagedRow) throw row;
      const found = unpack(EventBlock.decode(row.value));
      events += found.length;
      next = first + BigInt(found.length);
    } catch (error) {
      unknown = true;
      bad(`event ${first}: ${messageOf(error)}`);
    }
  }
  for (const table of besideEvents)
    for await (const row of walk(store, table, pageRows)) if (row instanceof DamagedRow) bad(row.message);
  return { events, damage };
}

/** What else is kept; the audit trail is walked by itself. */
const besideEvents = [
  'positions',
  'cursors',
  'seen',
  'control-ids',
  'counts',
  'overtaken',
  'persons',
  'gateways',
  'certificates',
  'tokens',
  'configs',
  'config-outcomes',
  'telemetry',
  'unmapped-codes',
  'receipts',
  'repeats',
  'deliveries',
  'quarantine',
  'quarantine-replayed',
  'audit-told',
];
