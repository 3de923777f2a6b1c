/** Basic for a master file's update: R4 has no resource for it. */
import { concept, notStated } from './datatypes.ts';
import type { Draft } from './draft.ts';

export function addBasic(draft: Draft): void {
  const { masterFile: from } = draft.event;
  if (from === undefined) return;
  draft.add('masterFile', {
    resourceType: 'Basic',
    identifier: from.entries.map((value) => ({ system: 'urn:hilum:master-file-entry', value })),
    code: concept(from.identifier) ?? notStated,
  });
}
