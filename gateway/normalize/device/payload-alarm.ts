/**
 * The alarm of an item: where the template's condition holds, or the payload gives a name, a priority or a phase. A
 * high alarm that has no name is still a high alarm.
 */
import type { ClinicalTime } from '../../../proto/gen/hilum/v1/event.ts';
import { Alarm } from '../../../proto/gen/hilum/v1/event.ts';
import { vocabulary } from '../known-word.ts';
import type { Reading } from './reading.ts';
import { alarmTimes } from './scope.ts';
import type { AlarmTemplate } from './template.ts';
import { codeOf, identifierOf } from './template-values.ts';

export function payloadAlarm(
  template: AlarmTemplate,
  reading: Reading,
  itemTime: ClinicalTime | undefined,
): Alarm | undefined {
  const { when } = template;
  const failed = (): void => reading.scope.remark('alarm: its `when` could not be worked out');
  if (when !== undefined && !reading.holds(when, failed)) return undefined;
  const identifier = template.id && identifierOf(template.id, reading)[0];
  const code = codeOf(template.code, reading);
  // False says that there is none, as in the built-in shape.
  const text = reading.text(template.text, (value) => value !== false);
  if (identifier === undefined && code === undefined && text === '') {
    const speaks = [template.priority, template.phase].some(
      (one) => one !== undefined && reading.text(one.from) !== '',
    );
    if (template.when === undefined && !speaks) return undefined;
    reading.scope.remark('alarm: without code, text and id');
  }
  const phase = reading.word(template.phase, vocabulary.phase, 'alarm phase');
  const state = reading.word(template.state, vocabulary.state, 'alarm state');
  const time = reading.scope.time(reading.select(template.time)[0], 'alarm time') ?? itemTime;
  return Alarm.fromPartial({
    identifier,
    code,
    text,
    priority: reading.word(template.priority, vocabulary.priority, 'alarm priority'),
    phase,
    state,
    inactivation: reading.wordList(template.inactivation, vocabulary.inactivation, 'alarm inactivation'),
    type: reading.word(template.type, vocabulary.type, 'alarm type'),
    ...alarmTimes({ phase, state }, (member) => reading.text(template[member]?.from ?? []) !== '', time),
  });
}
