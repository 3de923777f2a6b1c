/** A config file as text, for every verb that takes one. */
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { exitCode, HilumError } from './errors.ts';
import { storageError, unreadable } from './storage.ts';

/** `-` is standard input. Bytes that are not UTF-8 are refused: a display text would lose its letters without a word. */
export function readConfigText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file === '-' ? 0 : file);
  } catch (cause) {
    throw new HilumError('file-missing', `The config file ${file} cannot be read${unreadable(cause)}.`, {
      hint: 'Check the path.',
      exit: exitCode.usage,
      cause,
    });
  }
  return textOf(bytes, `config file ${file}`, 'config-bad', file);
}

/** The same for settings. A file in which nothing is said, or only comments, takes every default. */
export function readSettingsText(file: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    const what = `The settings file ${file} cannot be read`;
    // No reason that only a person can take away: a supervisor may start it again.
    if (unreadable(cause) === '') throw storageError(what, cause, '--settings');
    throw new HilumError('settings-missing', `${what}${unreadable(cause)}.`, {
      hint: 'Check the path given to --settings and its permissions.',
      exit: exitCode.badConfig,
      cause,
    });
  }
  const text = textOf(bytes, `settings file ${file}`, 'settings-bad', file);
  const said = text
    .replace(/^\ufeff/, '')
    .split('\n')
    .some((line) => /^\s*[^\s#]/.test(line));
  return said ? text : '{}';
}

function textOf(bytes: Buffer, what: string, code: string, file: string): string {
  if (isUtf8(bytes) && !bytes.includes(0)) return bytes.toString('utf8');
  // UTF-16 and what is no text at all have zero bytes; what Windows and Latin-1 write has none.
  const at = bytes.includes(0) ? '' : `, line ${firstBadLine(bytes)}`;
  const hint = bytes.includes(0)
    ? 'It is UTF-16 or no text: save it as UTF-8, without any other encoding.'
    : `Save it as UTF-8; from an editor of Windows: iconv -f WINDOWS-1252 -t UTF-8 ${file}`;
  throw new HilumError(code, `The ${what} is not UTF-8${at}.`, {
    hint,
    exit: exitCode.badConfig,
  });
}

function firstBadLine(bytes: Buffer): number {
  let line = 1;
  for (let from = 0; from < bytes.length; line += 1) {
    const end = bytes.indexOf(10, from);
    if (end === -1 || !isUtf8(bytes.subarray(from, end))) break;
    from = end + 1;
  }
  return line;
}
