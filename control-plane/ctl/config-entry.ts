/**
 * Adds an entry to the text of a config that a person keeps under review. Only the lines of the entry change:
 * a document that is printed anew loses the columns of its comments, and a review then shows every line. What
 * cannot be added that way (a mapping in braces) is printed anew; the meaning is the same in both.
 */
import { Document, isMap, isScalar, Pair, parseDocument, Scalar, stringify, type YAMLMap } from 'yaml';
import { exitCode, HilumError } from '../../gateway/process/errors.ts';

/** What stands between two places of a text, and what comes there. */
interface Edit {
  from: number;
  to: number;
  text: string;
}

/** @param comment a line that begins with `#`; it stands above what is new */
export function withEntry(text: string, entry: Record<string, object>, comment: string): string {
  const parsed = parseDocument(text);
  if (parsed.errors.length > 0) {
    throw new HilumError('bad-config', 'The config cannot be read as YAML, so nothing can be added to it.', {
      hint: 'hilumctl config check FILE says where.',
      exit: exitCode.badConfig,
    });
  }
  const edits = isMap(parsed.contents)
    ? editsOf(text, parsed.contents as YAMLMap, entry, comment.trim())
    : [{ from: text.length, to: text.length, text: `${comment.trim()}\n${stringify(entry)}` }];
  const document = isMap(parsed.contents) ? parsed : new Document({});
  put(document, document.contents as YAMLMap, entry, comment.trim().replace(/^#/, ''));
  if (edits === undefined || edits.length === 0) return String(document);
  let edited = text;
  for (const { from, to, text: said } of edits.sort((a, b) => b.from - a.from))
    edited = edited.slice(0, from) + said + edited.slice(to);
  return meansTheSame(edited, document) ? edited : String(document);
}

/** Undefined where it cannot be done in the text. */
function editsOf(text: string, map: YAMLMap, value: object, comment: string): Edit[] | undefined {
  const edits: Edit[] = [];
  const fresh: string[] = [];
  for (const [name, inner] of Object.entries(value as Record<string, unknown>)) {
    const there = map.get(name, true);
    if (isMap(there) && typeof inner === 'object' && inner !== null) {
      const deeper = editsOf(text, there as YAMLMap, inner, comment);
      if (deeper === undefined) return undefined;
      edits.push(...deeper);
    } else if (map.has(name)) {
      if (isScalar(there) && there.value === inner) continue;
      if (!isScalar(there) || !there.range || typeof inner === 'object') return undefined;
      edits.push({ from: there.range[0], to: there.range[1], text: stringify(inner).trim() });
    } else fresh.push(`${comment}\n${stringify({ [name]: inner })}`);
  }
  if (fresh.length === 0) return edits;
  const first = map.items[0]?.key;
  const last = map.items.at(-1)?.value ?? map.items.at(-1)?.key;
  const start = (first as Scalar | undefined)?.range?.[0];
  const end = (last as Scalar | undefined)?.range?.[1];
  if (map.flow === true || start === undefined || end === undefined) return undefined;
  const column = start - (text.lastIndexOf('\n', start - 1) + 1);
  const lines = fresh.join('').replace(/^(?=.)/gm, ' '.repeat(column));
  const at = text[end - 1] === '\n' ? end : endOfLine(text, end);
  edits.push({ from: at, to: at, text: text[at - 1] === '\n' ? lines : `\n${lines}` });
  return edits;
}

/** Behind the line break; a comment at the end of the line belongs to it. */
function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  return at === -1 ? text.length : at + 1;
}

function meansTheSame(text: string, document: Document): boolean {
  const read = parseDocument(text);
  return read.errors.length === 0 && JSON.stringify(read.toJS()) === JSON.stringify(document.toJS());
}

/** Adds what is not there, with the comment before it. */
function put(document: Document, map: YAMLMap, value: object, comment: string): void {
  for (const [name, inner] of Object.entries(value as Record<string, unknown>)) {
    const there = map.get(name, true);
    if (isMap(there) && typeof inner === 'object' && inner !== null)
      put(document, there as YAMLMap, inner, comment);
    else if (map.has(name)) map.set(name, document.createNode(inner));
    else {
      const key = new Scalar(name);
      key.commentBefore = comment;
      map.add(new Pair(key, document.createNode(inner)));
    }
  }
}
