/** OBX-8: a code, or since 2.7 a CWE, whose word may stand in any of its codings or in its text alone [HL7 7.4.2.8]. */
import type { Observation } from '../../../proto/gen/hilum/v1/event.ts';
import { codeOf } from './coded.ts';
import { tellFlag } from './known-words.ts';
import type { Segment } from './message.ts';

export function flags(to: Observation, segment: Segment, field: number): void {
  for (const parts of segment.repetitions(field)) {
    if (!parts.reaches(2)) {
      const flag = parts.text(1);
      add(to, flag);
      tellFlag(flag, segment, field);
      continue;
    }
    const code = codeOf(parts);
    if (code === undefined) continue;
    tellFlag(code, segment, field);
    const sent = code.codings.filter((coding) => !coding.mapped && coding.code !== '');
    for (const coding of sent) add(to, coding.code);
    if (sent.length === 0) add(to, code.text);
    const [first] = code.codings;
    if (code.text !== '' || code.codings.length > 1 || first?.name !== '') to.interpretationCodes.push(code);
  }
  to.interpretation = to.interpretations[0] ?? '';
}

function add({ interpretations }: Observation, flag: string): void {
  if (flag !== '' && !interpretations.includes(flag)) interpretations.push(flag);
}
