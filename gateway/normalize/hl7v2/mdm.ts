/** MDM: documents and their states [HL7 9]. One event. */
import type { ClinicalEvent, Document } from '../../../proto/gen/hilum/v1/event.ts';
import { upper } from '../text.ts';
import { time, timeOf, times } from './clock.ts';
import { code, codes } from './coded.ts';
import { documentText } from './document-text.ts';
import type { Draft } from './draft.ts';
import { type Family, type Handler, handlers } from './family.ts';
import { ei, eis } from './identified.ts';
import { nextBody } from './next-body.ts';
import { participants, signers } from './people.ts';
import { remark } from './scope.ts';
import { noteSegment, observationSegments, orderSegments, patientSegments } from './segments.ts';
import { fresh } from './shapes.ts';
import { documentStatus } from './status.ts';
import { fill, labelAlone, type Table, word } from './table.ts';

const txa: Table<Document> = [
  [2, 'type', code],
  [3, 'contentPresentation', word],
  [4, 'activity', time],
  [5, 'participants', participants('performing')],
  [6, 'originated', time],
  [7, 'transcribed', time],
  [8, 'edited', times],
  [9, 'participants', participants('originating')],
  [10, 'participants', participants('authenticating')],
  [11, 'participants', participants('transcribing')],
  [12, 'identifiers', eis()],
  [13, 'parent', ei()],
  [14, 'placerOrders', eis('PLAC')],
  [15, 'fillerOrder', ei('FILL')],
  [16, 'fileName', word],
  [17, 'completionStatus', word],
  [18, 'confidentiality', word],
  [19, 'availability', word],
  [20, 'storage', word],
  [21, 'changeReason', labelAlone],
  [22, 'participants', signers('authenticating')],
  // PPN: an XCN whose component 15 is when the person acted [HL7 2.A.55].
  [22, 'authenticated', (segment, field) => timeOf(segment.parts(field).sub(15), 1, segment, field)],
  [23, 'participants', participants('copy-to')],
  [24, 'folders', codes],
  [25, 'title', word],
];
export const documentTables = { TXA: txa };

const documents: Record<string, Handler> = {
  TXA(draft, segment) {
    nextBody(draft, 'TXA');
    draft.base.document ??= fresh.document();
    fill(draft.base.document, txa, segment);
    draft.acting = draft.base.document.participants;
    // What follows is the document's content.
    draft.ordered = '';
    draft.notes = draft.base.notes;
  },
};

export const mdm: Family = {
  name: 'mdm',
  kind: 'document',
  opens: new Set(),
  about: ['TXA', 'OBX'],
  segments: handlers(patientSegments, noteSegment, orderSegments, observationSegments, documents),
  finish(event, draft) {
    event.document ??= fresh.document();
    const { document } = event;
    document.text = documentText(event);
    event.status = statusOf(document, draft);
    // T09 and T10 replace their parent [HL7 9.6.9].
    const replaces = draft.trigger === 'T09' || draft.trigger === 'T10';
    if (replaces && document.parent !== undefined) event.supersedes.push(document.parent);
    setTimes(event, document);
  },
};

function statusOf(document: Document, draft: Draft): string {
  if (draft.trigger === 'T11') return 'cancelled';
  if (isCancelled(document.availability)) return 'cancelled';
  const sent = upper(document.completionStatus);
  const said = documentStatus[sent] ?? 'unknown';
  if (sent !== '' && said === 'unknown')
    remark(draft.message.scope, 'TXA-17: not a code of table 0271, the status of the document is unknown');
  // A draft is edited too, and stays one [HL7 9.6.7].
  const again = ['T07', 'T08', 'T09', 'T10'].includes(draft.trigger);
  return again && (said === 'final' || said === 'unknown') ? 'corrected' : said;
}

/** TXA-19 [HL7 table 0273]. */
function isCancelled(availability: string): boolean {
  return ['CA', 'CANCELED', 'CANCELLED', 'DELETED'].includes(upper(availability));
}

function setTimes(event: ClinicalEvent, document: Document): void {
  event.times ??= fresh.times();
  event.times.observed = document.activity ?? event.times.observed;
  event.times.issued = document.originated ?? document.transcribed ?? event.times.issued;
}
