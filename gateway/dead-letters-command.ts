/** `hilum-gateway journal dead-letters …`: what local destinations refused for good, and another try for it. */
import { join } from 'node:path';
import { type DeadLetter, deadLetters, requeue } from './journal/dead-letters.ts';
import { type JournalCommandOptions, openJournal, ownStopped } from './journal-command.ts';
import { exitCode, HilumError } from './process/errors.ts';
import { exportFile } from './process/keys.ts';
import { openEnvironment } from './process/lmdb.ts';
import { counted, field, printObject, printRows, time } from './process/output.ts';
import { orDamaged } from './process/seal.ts';
import { makeDirectory } from './process/storage.ts';

export interface DeadLetterOptions extends JournalCommandOptions {
  destination?: string;
  all?: boolean;
}

/** @param ids empty: all of `--destination`, or with `--all` of every destination */
export async function deadLettersCommand(
  verb: 'list' | 'export' | 'requeue',
  ids: readonly string[],
  options: DeadLetterOptions,
): Promise<number> {
  await ownStopped(options.data, verb !== 'requeue');
  const journal = openJournal(options);
  let letters: DeadLetter[];
  try {
    const { environment, opener, origin } = journal;
    letters = [...deadLetters(environment, opener, origin)].filter(
      ({ destination }) => options.destination === undefined || destination === options.destination,
    );
    if (verb === 'list') return list(letters, options);
    letters = chosen(letters, ids, options);
    if (verb === 'export') return exportLetters(letters, options);
  } finally {
    await journal.environment.close();
  }
  const environment = openEnvironment({ directory: join(options.data, 'journal') });
  try {
    await requeue(environment, letters);
  } finally {
    await environment.close();
  }
  printObject(
    options.output,
    { requeued: letters.length },
    () => `${letters.length} put back. They are sent, each at its old place, when the gateway runs.\n`,
  );
  return exitCode.done;
}

function chosen(letters: DeadLetter[], ids: readonly string[], options: DeadLetterOptions): DeadLetter[] {
  if (ids.length === 0 && options.all !== true && options.destination === undefined) {
    throw new HilumError('usage', 'Which ones? Name their ids, a --destination, or --all.', {
      exit: exitCode.usage,
    });
  }
  const unknown = ids.filter((id) => !letters.some((letter) => letter.id === id));
  if (unknown.length > 0) {
    throw new HilumError('not-found', `There is no dead letter ${unknown.join(', ')}.`, {
      hint: 'hilum-gateway journal dead-letters list shows them.',
      exit: exitCode.failed,
    });
  }
  if (letters.length === 0 && options.destination !== undefined) {
    throw new HilumError('not-found', `There is no dead letter for "${options.destination}".`, {
      hint: 'hilum-gateway journal dead-letters list shows them.',
      exit: exitCode.failed,
    });
  }
  return ids.length === 0 ? letters : letters.filter(({ id }) => ids.includes(id));
}

function list(letters: readonly DeadLetter[], { output }: DeadLetterOptions): number {
  const rows = letters.map(({ id, destination, recordSequence, open }) => {
    const letter = orDamaged(open);
    return {
      id,
      destination,
      source: letter?.source ?? '',
      messageControlId: letter?.messageControlId ?? '',
      record: String(recordSequence),
      rule: letter?.rule ?? '',
      bytes: letter?.raw.length ?? 0,
      capturedAtUs: String(letter?.capturedAtUs ?? 0),
      damaged: letter === undefined,
    };
  });
  printRows(output, rows, [
    field('ID', 'id'),
    field('DESTINATION', 'destination'),
    field('SOURCE', 'source'),
    field('CONTROL ID', 'messageControlId'),
    { title: 'CAPTURED', value: (row) => time(row.capturedAtUs) },
    field('RULE', 'rule'),
    { title: 'BYTES', value: (row) => (row.damaged ? 'damaged' : String(row.bytes)) },
  ]);
  return exitCode.done;
}

/** One file each; the files hold patient data. What is damaged costs itself alone. */
function exportLetters(letters: readonly DeadLetter[], { to = '.', output }: DeadLetterOptions): number {
  makeDirectory(to, 'The folder', '--to');
  let damaged = 0;
  for (const { id, open } of letters) {
    const letter = orDamaged(open);
    if (letter === undefined) damaged += 1;
    else exportFile(join(to, `${id.replace('/', '-')}.msg`), letter.raw);
  }
  const written = letters.length - damaged;
  printObject(output, { written, damaged, to }, () => {
    const lost = damaged === 0 ? '' : ` ${counted(damaged, 'message')} cannot be read: see journal verify.`;
    return `${counted(written, 'message')} written to ${to}. They hold patient data.${lost}\n`;
  });
  return damaged === 0 ? exitCode.done : exitCode.failed;
}
