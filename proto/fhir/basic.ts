/** Basic for a master file's update: R4 has no resource for it. Each entry is an identifier, with what is done to it. */
import type { MasterFile, MasterFileRecord } from '../gen/hilum/v1/event.ts';
import { concept, notStated } from './datatypes.ts';
import type { Draft } from './draft.ts';
import type { Element } from './json.ts';
import { masterFileExtensions } from './own-extensions.ts';

export function addBasic(draft: Draft): void {
  const { masterFile: from } = draft.event;
  if (from === undefined) return;
  draft.add('masterFile', {
    resourceType: 'Basic',
    extension: masterFileExtensions(from.event),
    identifier: entries(from),
    code: concept(from.identifier) ?? notStated,
  });
}

function entries({ entries, records }: MasterFile): Element[] {
  const told = records.flatMap(entriesOf);
  // Events of earlier builds do not say which record an entry is of.
  return told.length === entries.length ? told : entries.map(entry);
}

/** MFE-1 that takes the record out of use [HL7 table 0180]; a reader that knows no extension of ours sees it by `use`. */
const gone = new Set(['MDL', 'MDC']);

function entriesOf({ event, effective, keys }: MasterFileRecord): Element[] {
  return keys.map((key) => ({
    extension: masterFileExtensions(event, effective),
    use: gone.has(event.toUpperCase()) ? 'old' : undefined,
    ...entry(key),
  }));
}

function entry(value: string): Element {
  return { system: 'urn:hilum:master-file-entry', value };
}
