/** The text of a document: what its rows say, under what they say it is of. */
import t from 'tap';
import { events, only, resources } from './told.ts';

const txa = 'TXA|1|HP^History and Physical|TX|||||||||D1^E|||||AU';
const row = (code: string, text: string, status = 'F', type = 'TX') =>
  `OBX|1|${type}|${code}||${text}||||||${status}`;
const textOf = (...rows: string[]) => events('MDM^T02', txa, ...rows)[0]?.document?.text;
const fhirTextOf = (...rows: string[]) => {
  const [made] = only('DocumentReference', resources('MDM^T02', txa, ...rows));
  const content = made?.content as { attachment: { data?: string } }[] | undefined;
  return Buffer.from(content?.[0]?.attachment.data ?? '', 'base64').toString();
};

t.test('document text - what a part of it is of stands above it', async (t) => {
  const rows = [
    row('PMH^Past Medical History', 'Diabetes'),
    row('FH^Family History', 'MI at 40, breast cancer'),
    row('FH^Family History', 'Mother: DM', 'F', 'FT'),
    'OBX|4|NM|WT^Weight||80.50|kg|||||F',
    row('RO^Ruled out:', 'Pulmonary embolism'),
  ];
  const text = [
    'Past Medical History:',
    'Diabetes',
    'Family History:',
    'MI at 40, breast cancer',
    'Mother: DM',
    'Ruled out:',
    'Pulmonary embolism',
  ];
  t.same(textOf(...rows), text);
  t.equal(fhirTextOf(...rows), text.join('\n'));
  t.same(textOf(row('RO^Ruled out', 'Pulmonary embolism')), ['Ruled out:', 'Pulmonary embolism']);
});

t.test('document text - the name of the document itself is no heading of its first part', async (t) => {
  t.same(textOf(row('HP^Text', 'a'), row('X^history AND physical', 'b')), ['a', 'b']);
  t.same(textOf(row('HP^H and P', 'a'), row('FH^Family history', 'b'), row('HP^H and P', 'c')), [
    'a',
    'Family history:',
    'b',
    'H and P:',
    'c',
  ]);
});

t.test('document text - a part without a text is under no heading of another', async (t) => {
  t.same(textOf(row('8716-3', 'a'), row('8716-4', 'b')), ['a', 'b']);
  t.same(textOf(row('FH^Family history', 'a'), row('PMH', 'b'), row('', 'c')), [
    'Family history:',
    'a',
    'PMH:',
    'b',
    'c',
  ]);
  t.same(textOf(row('S^Subjective', 'a'), row('P^Plan', ''), row('P^Plan', 'b'), row('E^Empty', '')), [
    'Subjective:',
    'a',
    '',
    'Plan:',
    'b',
  ]);
});

t.test('document text - what was withdrawn is none of it', async (t) => {
  const rows = [
    row('A^Plan', 'Give heparin', 'D'),
    row('A^Plan', 'Give aspirin', 'W'),
    row('A^Plan', 'Give warfarin', 'X'),
    row('B^Other', 'old', 'D'),
    row('A^Plan', 'Hold heparin', 'C'),
  ];
  const [event] = events('MDM^T08', txa, ...rows);
  t.same(event?.document?.text, ['Plan:', 'Hold heparin']);
  t.equal(event?.observations.length, 5, 'the rows stay');
  t.equal(fhirTextOf(...rows), 'Plan:\nHold heparin');
  const file = (status: string, name: string) =>
    `OBX|9|ED|${name}^${name}^L||^AP^PDF^Base64^JVBERi0x||||||${status}`;
  const [made] = only('DocumentReference', resources('MDM^T08', txa, file('D', 'OLD'), file('C', 'NEW')));
  t.match(made?.content, { 0: { attachment: { title: 'NEW' } }, length: 1 });
});

t.test('document text - a comment on a part of it stands behind it', async (t) => {
  const rows = [
    row('T^Text', 'EF 20%'),
    'NTE|1||row note',
    'NTE|2||',
    'NTE|3||and more',
    row('P^Plan', '', 'F'),
    'NTE|1||none yet',
    row('P^Plan', 'gone', 'D'),
    'NTE|1||of what is gone',
    'OBX|9|ED|PDF^Report^L||^AP^PDF^Base64^JVBERi0x||||||F',
    'NTE|1||draft only',
    'OBX|10|NM|WT^Weight||80.50|kg|||||F',
    'NTE|1||on its own Observation',
  ];
  const text = [
    'Text:',
    'EF 20%',
    'Note: row note',
    '',
    'Note: and more',
    'Plan:',
    '',
    'Note: none yet',
    'Report:',
    'Note: draft only',
  ];
  t.same(textOf(...rows), text);
  t.equal(fhirTextOf(...rows), text.join('\n'));
  t.match(only('Observation', resources('MDM^T02', txa, ...rows)), {
    0: { note: [{ text: 'on its own Observation' }] },
    length: 1,
  });
});
