/** Attachment: bytes that came inside a message, or where they can be had. */
import type { Attachment } from '../gen/hilum/v1/event.ts';
import { uri } from './datatypes.ts';
import { type Element, visible } from './json.ts';

export function attachmentOf(from: Attachment, title: string): Element {
  const empty = from.data.length === 0;
  return {
    // Data has a content type [att-1].
    contentType: mimeType(from.contentType) ?? (empty ? undefined : 'application/octet-stream'),
    data: empty ? undefined : Buffer.from(from.data).toString('base64'),
    url: uri(from.pointer),
    size: from.size > 0n && from.size < 2_147_483_648n ? Number(from.size) : undefined,
    title,
  };
}

/** A text as a file of its own. */
export function textAttachment(lines: readonly string[], title: string): Element {
  return {
    contentType: 'text/plain; charset=utf-8',
    data: Buffer.from(lines.join('\n'), 'utf8').toString('base64'),
    title,
  };
}

/** What was sent in place of a MIME type is at least the file's description. */
export function attachmentTitle(from: Attachment, otherwise: string): string {
  const sent = mimeType(from.contentType) === undefined ? from.contentType : '';
  return [sent, otherwise].find(visible) ?? 'Attachment';
}

/** FHIR's Attachment.hash is SHA-1; ours is SHA-256 and stands as an identifier. */
export function hashIdentifier(from: Attachment): Element[] {
  return from.hash === '' ? [] : [{ system: 'urn:hilum:sha256', value: from.hash }];
}

function mimeType(sent: string): string | undefined {
  return /^[\w.+-]+\/[\w.+-]+(; ?[\w.+-]+=[\w.+-]+)*$/.test(sent) ? sent : undefined;
}
