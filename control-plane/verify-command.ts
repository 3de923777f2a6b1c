/** `hilum-control-plane verify`: walks every event and the audit chain; exit 1 when something is not what it was. */
import { join } from 'node:path';
import { nowUs64 } from '../gateway/process/clock.ts';
import { exitCode, HilumError, messageOf } from '../gateway/process/errors.ts';
import { loadKey } from '../gateway/process/keys.ts';
import { type Form, printObject } from '../gateway/process/output.ts';
import { ownDirectory } from '../gateway/process/owner.ts';
import { AuditChain } from './audit/chain.ts';
import { EventLog } from './eventlog/eventlog.ts';
import { keyFile } from './plane.ts';
import { loadSettings } from './settings.ts';
import { openLmdbStore, storeExists } from './store/lmdb-store.ts';

const pageEvents = 1_000;

export async function verifyStore(options: {
  data: string;
  settings?: string;
  output: Form;
}): Promise<number> {
  const directory = join(options.data, 'store');
  if (!storeExists(directory)) {
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
  const eventLog = new EventLog(store, key, nowUs64);
  await eventLog.open();
  let events = 0;
  let damage = '';
  let after = 0n;
  try {
    for (;;) {
      const page = await eventLog.read(after, pageEvents);
      if (page.length === 0) break;
      for (const event of page) {
        if (event.index !== after + 1n && damage === '') damage = `event ${after + 1n} is missing`;
        after = event.index;
        events += 1;
      }
    }
  } catch (error) {
    damage = `event ${after + 1n}: ${messageOf(error)}`;
  }
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
