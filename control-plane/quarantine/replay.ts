/**
 * A second try for what is in quarantine, at the gateways where it is.
 *
 * That it is asked for is in the audit trail before the gateway hears it. What the gateway says it replayed is marked
 * so, and nothing else; where its answer is lost, it reports what it replayed by itself (hub.ts), as often as needed.
 */
import type { ReplayQuarantineResponse } from '../../proto/gen/hilum/v1/admin.ts';
import type { QuarantineEntry, ReplayResult } from '../../proto/gen/hilum/v1/session.ts';
import { needReason } from '../audit/reason.ts';
import type { State } from '../plane.ts';
import type { Sessions } from '../session/sessions.ts';

type Outcome = 'replayed' | 'missing' | 'damaged' | 'offline' | 'unanswered';

export async function replayQuarantined(
  { quarantine, audit }: Pick<State, 'quarantine' | 'audit'>,
  sessions: Sessions,
  ids: readonly string[],
  reason: string,
  actor: string,
): Promise<ReplayQuarantineResponse> {
  needReason('A replay', reason);
  const outcomes = new Map<string, Outcome>();
  const byGateway = new Map<string, QuarantineEntry[]>();
  for (const id of new Set(ids)) {
    const entry = await quarantine.get(id);
    if (entry === undefined) outcomes.set(id, 'missing');
    else byGateway.set(entry.gateway, [...(byGateway.get(entry.gateway) ?? []), entry]);
  }
  for (const [gateway, entries] of byGateway) {
    if (!sessions.online(gateway)) {
      for (const { id } of entries) outcomes.set(id, 'offline');
      continue;
    }
    const noted = ({ id: subject, site }: QuarantineEntry) => ({ actor, gateway, site, subject, reason });
    await audit.addAll(
      entries.map((entry) => ({ action: 'replay-requested', ...noted(entry) })),
      [],
    );
    const result = await sessions.replay(gateway, entries, actor, reason);
    for (const entry of entries) outcomes.set(entry.id, outcomeOf(entry, result));
    const replayed = entries.filter(({ id }) => outcomes.get(id) === 'replayed');
    await quarantine.inTurn(async () => {
      // The gateway may have reported it meanwhile, and told more.
      const asReplayed: QuarantineEntry[] = [];
      for (const { id } of replayed) {
        const now = await quarantine.get(id);
        if (now?.state === 'open') asReplayed.push({ ...now, state: 'replayed' });
      }
      await audit.addAll(
        entries.map((entry) => ({
          action: 'replayed',
          ...noted(entry),
          ...(replayed.includes(entry) ? {} : { outcome: 'failed', detail: outcomes.get(entry.id) ?? '' }),
        })),
        quarantine.rowsOf(asReplayed),
      );
    });
  }
  const count = (wanted: Outcome) => [...outcomes.values()].filter((one) => one === wanted).length;
  return {
    replayed: count('replayed'),
    missing: count('missing'),
    offline: count('offline'),
    damaged: count('damaged'),
    unanswered: count('unanswered'),
    results: [...outcomes].map(([id, outcome]) => ({ id, outcome })),
  };
}

function outcomeOf({ recordSequence }: QuarantineEntry, result: ReplayResult | undefined): Outcome {
  if (result === undefined) return 'unanswered';
  const { outcomes, replayed, missing } = result;
  const said = outcomes.find((one) => one.recordSequence === recordSequence)?.outcome;
  if (said === 'replayed' || said === 'damaged' || said === 'missing') return said;
  // An older gateway only counts: that tells of each one where all went the same way.
  if (outcomes.length === 0 && missing === 0) return 'replayed';
  return outcomes.length === 0 && replayed === 0 ? 'missing' : 'unanswered';
}
