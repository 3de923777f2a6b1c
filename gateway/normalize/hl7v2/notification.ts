/**
 * What became of an alarm's notification [IHE PCD-05, ORU^R41]: the manager of the alarms says of each PRT who got,
 * read or accepted it. The rows are those that were notified: the alarm may have gone on, or ended, since then.
 */
import type { Alarm, ClinicalEvent, ClinicalTime } from '../../../proto/gen/hilum/v1/event.ts';
import { act } from './acting.ts';
import type { Draft } from './draft.ts';
import type { Segment } from './message.ts';
import { remark } from './scope.ts';
import { fresh } from './shapes.ts';
import { prt } from './visit.ts';

const remarked =
  'ORU^R41: a status of the notification, the phase and the state in its rows are those that were notified';

function isStatus({ trigger }: Draft): boolean {
  return trigger === 'R41';
}

/** PRT of an alarm. With whose telephone somebody accepts it is none of the row before it; what measured that row is. */
export function notified(draft: Draft, segment: Segment): void {
  const { event, acting } = draft;
  if (event === undefined || !isStatus(draft) || segment.text(4) === 'EQUIP') {
    act(draft, segment, prt);
    return;
  }
  event.alarm ??= fresh.alarm();
  event.alarm.notification ??= { participants: [] };
  const to = event.alarm.notification.participants;
  const before = to.length;
  draft.acting = to;
  act(draft, segment, prt);
  draft.acting = acting;
  const [by, last] = [to[before], to.at(-1)];
  // By what somebody accepted it is told of whoever did.
  if (by === undefined || last === undefined || by === last || last.person !== undefined) return;
  if (last.organization === undefined) by.devices.push(...(to.pop()?.devices ?? []));
}

/** Makes of the alarm what the message says of it, where that is a status of its notification. */
export function tellStatus(alarm: Alarm, participants: Participants, draft: Draft): void {
  if (!isStatus(draft)) return;
  remark(draft.message.scope, remarked);
  alarm.notification = { participants };
  alarm.phase = 'update';
  alarm.state = '';
  alarm.inactivation = '';
  alarm.updated = latest(participants);
}

export type Participants = NonNullable<Alarm['notification']>['participants'];

/** Who stands behind evidence took no part in measuring it, and in no alarm. */
export function keepParticipants({ order }: ClinicalEvent, participants: Participants): void {
  order?.participants.push(...participants);
}

/** The last of what they did. */
function latest(participants: Participants): ClinicalTime | undefined {
  const moments = participants.flatMap(({ period }) => period?.start ?? period?.end ?? []);
  const ms = ({ value }: ClinicalTime) => Date.parse(value) || 0;
  return moments.reduce<ClinicalTime | undefined>(
    (last, one) => (last !== undefined && ms(last) >= ms(one) ? last : one),
    undefined,
  );
}
