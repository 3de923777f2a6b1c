/**
 * Damage to HL7 v2 that keeps enough of its form to get past the scanner: what senders, interface
 * engines and broken lines do to segments, fields and delimiters. Text is Latin-1: a character a byte.
 */
import { below, type Random } from '../kit/random.ts';
import { bytesOfTrouble, charsets, escapes, howMany, pick, triggers, types, values } from './spice.ts';

/** One message and another one that parts may come from. */
export type Mutation = (random: Random, text: string, other: string) => string;

export const hl7v2Mutations: Record<string, Mutation> = {
  dropSegment: (random, text) =>
    segmentsChanged(text, (lines) => lines.filter((_, at) => at !== below(random, lines.length))),
  doubleSegment: (random, text) =>
    segmentsChanged(text, (lines) => {
      const at = below(random, lines.length);
      const times = howMany(random, 12_000);
      const spare = Math.max(1, Math.floor(sizeMax / ((lines[at]?.length ?? 0) + 1)));
      return [
        ...lines.slice(0, at),
        ...Array<string>(Math.min(times, spare)).fill(lines[at] ?? ''),
        ...lines.slice(at),
      ];
    }),
  doubleGroup: (random, text) =>
    segmentsChanged(text, (lines) => {
      const from = 1 + below(random, lines.length);
      const group = lines.slice(from, from + 1 + below(random, 6));
      const spare = Math.max(1, Math.floor(sizeMax / (group.join('\r').length + 1)));
      const copies = Array<string[]>(Math.min(howMany(random, 3_000), spare)).fill(group);
      return [...lines.slice(0, from), ...copies.flat(), ...lines.slice(from)];
    }),
  moveSegment: (random, text) =>
    segmentsChanged(text, (lines) => {
      const [moved = ''] = lines.splice(below(random, lines.length), 1);
      return lines.toSpliced(below(random, lines.length + 1), 0, moved);
    }),
  shuffleSegments: (random, text) =>
    segmentsChanged(text, ([first = '', ...rest]) => {
      for (let at = rest.length - 1; at > 0; at -= 1) {
        const to = below(random, at + 1);
        [rest[at], rest[to]] = [rest[to] as string, rest[at] as string];
      }
      return [first, ...rest];
    }),
  foreignSegments: (random, text, other) =>
    segmentsChanged(text, (lines) => {
      const from = below(random, lines.length);
      const strangers = other.split('\r').slice(below(random, 4));
      return lines.toSpliced(from, below(random, 3), ...strangers.slice(0, 1 + below(random, 5)));
    }),
  renameSegment: (random, text, other) =>
    segmentsChanged(text, (lines) => {
      const at = below(random, lines.length);
      const name = pick(random, [
        ...other.split('\r').map((line) => line.slice(0, 3)),
        'ZZZ',
        'pid',
        'OB',
        '',
      ]);
      lines[at] = name + (lines[at] ?? '').slice(3);
      return lines;
    }),
  header: (random, text) =>
    segmentsChanged(text, (lines) => {
      const extra = pick(random, [
        'FHS|^~\\&|A',
        'BHS|^~\\&|A',
        'MSH|^~\\&|A',
        lines[0] ?? '',
        'BTS|1',
        'FTS|1',
        'DSC|1',
      ]);
      return lines.toSpliced(below(random, lines.length + 1), 0, extra);
    }),
  delimiters: (random, text) => {
    const set = pick(random, [
      '|^~\\&',
      '#^~\\&',
      '|^~\\&#',
      '|^^^^',
      '|',
      '||||',
      '|^',
      '|^~',
      '$%*@!',
      '\\|^~&',
      'A^~\\&',
      '\r^~\\&',
      '|^~\\&\u0000',
    ]);
    if (random() < 0.5) return text.slice(0, 3) + set + text.slice(8);
    const to = new Map([...'|^~\\&'].map((from, at) => [from, set[at] ?? from]));
    return [...text].map((char) => to.get(char) ?? char).join('');
  },
  separators: (random, text) =>
    inserted(
      random,
      text,
      pick(random, ['|', '^', '~', '&', '\\', '^&', '~^', '\r', '\n', '\r\n']).repeat(
        howMany(random, 40_000),
      ),
    ),
  repetitions: (random, text) =>
    fieldChanged(random, text, (field) => `${field}~`.repeat(spared(random, field, 8_000))),
  components: (random, text) =>
    fieldChanged(random, text, (field) => `${field}^`.repeat(spared(random, field, 8_000))),
  subcomponents: (random, text) =>
    fieldChanged(random, text, (field) => `${field}&`.repeat(spared(random, field, 8_000))),
  value: (random, text) => fieldChanged(random, text, () => pick(random, values)),
  component: (random, text) =>
    fieldChanged(random, text, (field) => {
      const parts = field.split('^');
      parts[below(random, parts.length + 1)] = pick(random, values);
      return parts.join('^');
    }),
  emptyField: (random, text) => fieldChanged(random, text, () => ''),
  copyField: (random, text, other) => fieldChanged(random, text, () => pick(random, other.split(/[|\r]/))),
  longField: (random, text) =>
    fieldChanged(random, text, (field) => (field || 'A').repeat(spared(random, field, 300_000))),
  escape: (random, text) => inserted(random, text, pick(random, escapes).repeat(howMany(random, 200))),
  control: (random, text) => inserted(random, text, String.fromCharCode(pick(random, bytesOfTrouble))),
  charset: (random, text) => {
    const named = headerField(text, 18, pick(random, charsets));
    const high = Array.from({ length: below(random, 40) }, () => String.fromCharCode(below(random, 256)));
    return inserted(random, named, high.join(''));
  },
  trigger: (random, text) => headerField(text, 9, pick(random, triggers)),
  version: (random, text) =>
    headerField(text, 12, pick(random, ['2.1', '2.2', '2.3', '2.9', '3', '', ...values])),
  valueType: (random, text) =>
    text.replace(/OBX\|([^|\r]*)\|([^|\r]*)/g, (whole, id) =>
      random() < 0.5 ? whole : `OBX|${id}|${pick(random, types)}`,
    ),
  lineEnds: (random, text) =>
    text.replaceAll('\r', pick(random, ['\n', '\r\n', '\n\r', '\r\r', '\u0085', '\u001c\r'])),
  framed: (_random, text) => `\u000b${text}\u001c\r`,
  utf16: (random, text) =>
    `${random() < 0.5 ? '\u00ff\u00fe' : '\u00fe\u00ff'}${Buffer.from(text, 'utf16le').toString('latin1')}`,
};

/** For any bytes. */
export const byteMutations: Record<string, Mutation> = {
  cut: (random, text) => text.slice(0, below(random, text.length + 1)),
  cutHead: (random, text) => text.slice(below(random, Math.min(text.length, 40) + 1)),
  noise: (random, text) =>
    inserted(
      random,
      text,
      Array.from({ length: howMany(random, 2_000) }, () => String.fromCharCode(below(random, 256))).join(''),
    ),
  flip: (random, text) => {
    const bytes = Buffer.from(text, 'latin1');
    for (let times = 1 + below(random, 8); times > 0 && bytes.length > 0; times -= 1) {
      const at = below(random, bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << below(random, 8));
    }
    return bytes.toString('latin1');
  },
  splice: (random, text, other) => {
    const from = below(random, other.length + 1);
    return inserted(random, text, other.slice(from, from + 1 + below(random, 200)));
  },
  doubled: (random, text) => {
    const from = below(random, text.length + 1);
    const part = text.slice(from, from + 1 + below(random, 300));
    return text.slice(0, from) + part.repeat(1 + below(random, 20)) + text.slice(from);
  },
  mark: (_random, text) => `\u00ef\u00bb\u00bf${text}`,
};

/** Larger than a frame of most senders; a case must stay cheap enough for many of them. */
export const sizeMax = 1024 * 1024;

export function inserted(random: Random, text: string, what: string): string {
  const at = below(random, text.length + 1);
  return text.slice(0, at) + what + text.slice(at);
}

function segmentsChanged(text: string, change: (lines: string[]) => string[]): string {
  return change(text.split('\r')).join('\r');
}

function fieldChanged(random: Random, text: string, change: (field: string) => string): string {
  return segmentsChanged(text, (lines) => {
    const at = below(random, lines.length);
    const fields = (lines[at] ?? '').split('|');
    // Past the end of the segment too: fields that this version does not have.
    const field = random() < 0.9 ? below(random, fields.length) : fields.length + below(random, 40);
    while (fields.length <= field) fields.push('');
    fields[field] = change(fields[field] ?? '');
    lines[at] = fields.join('|');
    return lines;
  });
}

function headerField(text: string, number: number, value: string): string {
  return segmentsChanged(text, (lines) => {
    const fields = (lines[0] ?? '').split('|');
    while (fields.length < number) fields.push('');
    fields[number - 1] = value;
    lines[0] = fields.join('|');
    return lines;
  });
}

function spared(random: Random, field: string, hugeMax: number): number {
  return Math.max(1, Math.min(howMany(random, hugeMax), Math.floor(sizeMax / (field.length + 1))));
}
