/** DocumentReference: a document's numbers, state, people and content. */
import type { ClinicalEvent, Document } from '../gen/hilum/v1/event.ts';
import { isWithdrawn } from '../withdrawn.ts';
import { attachmentOf, attachmentTitle, textAttachment } from './attachment.ts';
import {
  concept,
  hl7System,
  identifier,
  identifiers,
  instant,
  logical,
  period,
  textOf,
  word,
} from './datatypes.ts';
import type { Draft } from './draft.ts';
import { type Element, visible } from './json.ts';
import { availabilityExtension } from './own-extensions.ts';
import { inRole } from './practitioner.ts';
import { documentStatus } from './tables.ts';

export function addDocument(draft: Draft): void {
  const { document: from, status, times, order } = draft.event;
  if (from === undefined) return;
  const { participants } = from;
  const unavailable = isUnavailable(from) ? 'Unavailable for patient care' : undefined;
  draft.add('document', {
    resourceType: 'DocumentReference',
    extension: unavailable && [availabilityExtension('UN', unavailable)],
    masterIdentifier: identifier(from.identifiers[0]),
    identifier: identifiers([...from.identifiers.slice(1), ...from.placerOrders, from.fillerOrder]),
    status: currency(status, from),
    docStatus: documentStatus[status],
    type: concept(from.type),
    subject: draft.patient,
    date: instant(times?.issued) ?? instant(from.activity),
    author: distinct(inRole(draft, participants, 'originating', 'performing')),
    authenticator: inRole(draft, participants, 'authenticating')[0],
    relatesTo: relations(draft.event, from),
    description: [unavailable, from.title || from.changeReason].filter(Boolean).join(': '),
    securityLabel: confidentiality(from),
    content: contents(draft.event, from).map((attachment) => ({ attachment })),
    context: {
      encounter: draft.encounter && [draft.encounter],
      period: period(order?.performed?.start ?? from.activity, order?.performed?.end),
      related: draft.requests,
    },
  });
}

/** Who wrote it and who is named for it are mostly one. */
function distinct(from: readonly Element[]): Element[] {
  return from.filter((one, at) => from.findIndex(({ reference }) => reference === one.reference) === at);
}

/** TXA-19 [HL7 table 0273]: OB obsolete, CA deleted. */
function currency(status: string, from: Document): string {
  if (status === 'entered-in-error' || status === 'cancelled') {
    return 'entered-in-error';
  }
  return /^(OB|obsolete)$/i.test(from.availability) ? 'superseded' : 'current';
}

/** TXA-19 [HL7 table 0273]: it is there, as final as TXA-17 says, and must not be used. */
function isUnavailable({ availability }: Document): boolean {
  return /^(UN|unavailable( for patient care)?)$/i.test(availability);
}

/** A replacement supersedes its parent; any other document with a parent is an addendum to it [HL7 9.6]. */
function relations(event: ClinicalEvent, from: Document): Element[] {
  const replaced = event.supersedes.flatMap((one) => logical('DocumentReference', one) ?? []);
  if (replaced.length > 0) return replaced.map((target) => ({ code: 'replaces', target }));
  const target = logical('DocumentReference', from.parent);
  return target === undefined ? [] : [{ code: 'appends', target }];
}

/** TXA-18 [HL7 table 0272]. */
function confidentiality(from: Document): Element[] | undefined {
  const label = word(from.confidentiality, hl7System('v2-0272'));
  return label === undefined ? undefined : [label];
}

/** The text, then every file; a document that came without either names its file. */
function contents(event: ClinicalEvent, from: Document): Element[] {
  const title = [from.title, from.fileName, textOf(from.type)].find(visible) ?? 'Document';
  const found: Element[] = [];
  if (from.text.some((line) => line.trim() !== '')) found.push(textAttachment(from.text, title));
  for (const { attachment, furtherAttachments, code, status } of event.observations) {
    // What was taken back is no content, as it is no text.
    if (attachment === undefined || isWithdrawn(status)) continue;
    for (const one of [attachment, ...furtherAttachments]) {
      found.push(attachmentOf(one, attachmentTitle(one, textOf(code) || title)));
    }
  }
  return found.length > 0 ? found : [{ title }];
}
