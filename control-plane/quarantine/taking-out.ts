/**
 * What is in quarantine gets a second try, or is discarded, at the gateways where it is.
 *
 * That it is asked for is in the audit trail before the gateway hears it. What the gateway says it took out is marked
 * so, and nothing else; where its answer is lost, it reports what it took out by itself (hub.ts), as often as needed.
 */
import type { DiscardQuarantineResponse, ReplayQuarantineResponse } from '../../proto/gen/hilum/v1/admin.ts';
import type { QuarantineEntry } from '../../proto/gen/hilum/v1/quarantine.ts';
import type { ReplayResult } from '../../proto/gen/hilum/v1/session.ts';
import { needReason } from '../audit/reason.ts';
import type { State } from '../plane.ts';
import type { Sessions } from '../session/sessions.ts';

/** As asked for: which entries, why, by whom. */
export interface Asking {
  readonly ids: readonly string[];
  readonly reason: string;
  readonly actor: string;
}

type Parts = Pick<State, 'quarantine' | 'audit' | 'registry'>;
type Done = 'replayed' | 'discarded';
type Outcome = Done | 'missing' | 'damaged' | 'offline' | 'unanswered';

export async function replayQuarantined(
  parts: Parts,
  sessions: Sessions,
  asking: Asking,
): Promise<ReplayQuarantineResponse> {
  needReason('A replay', asking.reason);
  const { count, results } = await takeOut(parts, sessions, asking, 'replayed');
  return {
    replayed: count('replayed'),
    missing: count('missing'),
    offline: count('offline'),
    damaged: count('damaged'),
    unanswered: count('unanswered'),
    results,
  };
}

export async function discardQuarantined(
  parts: Parts,
  sessions: Sessions,
  asking: Asking,
): Promise<DiscardQuarantineResponse> {
  needReason('A discard', asking.reason);
  const { count, results } = await takeOut(parts, sessions, asking, 'discarded');
  return {
    discarded: count('discarded'),
    missing: count('missing'),
    offline: count('offline'),
    unanswered: count('unanswered'),
    results,
  };
}

/** The name that the journal of this gateway is online under: it may have been enrolled anew since. Its own where it is not. */
export function askedAs({ registry }: Pick<State, 'registry'>, sessions: Sessions, gateway: string): string {
  return registry.namesOf(gateway).find((name) => sessions.online(name)) ?? gateway;
}

async function takeOut(
  { quarantine, audit, registry }: Parts,
  sessions: Sessions,
  { ids, reason, actor }: Asking,
  done: Done,
): Promise<{ count: (wanted: Outcome) => number; results: { id: string; outcome: Outcome }[] }> {
  const how = done === 'replayed' ? 'replay' : 'discard';
  const outcomes = new Map<string, Outcome>();
  const byGateway = new Map<string, QuarantineEntry[]>();
  for (const id of new Set(ids)) {
    const entry = await quarantine.get(id);
    if (entry === undefined) {
      outcomes.set(id, 'missing');
      continue;
    }
    const gateway = askedAs({ registry }, sessions, entry.gateway);
    byGateway.set(gateway, [...(byGateway.get(gateway) ?? []), entry]);
  }
  for (const [gateway, entries] of byGateway) {
    if (!sessions.online(gateway)) {
      for (const { id } of entries) outcomes.set(id, 'offline');
      continue;
    }
    const noted = ({ id: subject, site }: QuarantineEntry) => ({ actor, gateway, site, subject, reason });
    await audit.addAll(
      entries.map((entry) => ({ action: `${how}-requested`, ...noted(entry) })),
      [],
    );
    const result = await sessions.takeOut(how, gateway, entries, actor, reason);
    for (const [at, entry] of entries.entries()) outcomes.set(entry.id, outcomeOf(entry, at, result, done));
    const taken = entries.filter(({ id }) => outcomes.get(id) === done);
    await quarantine.inTurn(async () => {
      // The gateway may have reported it meanwhile, and told more.
      const marked: QuarantineEntry[] = [];
      for (const { id } of taken) {
        const now = await quarantine.get(id);
        if (now?.state === 'open') marked.push({ ...now, state: done });
      }
      await audit.addAll(
        entries.map((entry) => ({
          action: done,
          ...noted(entry),
          ...(taken.includes(entry) ? {} : { outcome: 'failed', detail: outcomes.get(entry.id) ?? '' }),
        })),
        quarantine.rowsOf(marked),
      );
    });
  }
  return {
    count: (wanted) => [...outcomes.values()].filter((one) => one === wanted).length,
    results: [...outcomes].map(([id, outcome]) => ({ id, outcome })),
  };
}

function outcomeOf(
  { recordSequence }: QuarantineEntry,
  at: number,
  result: ReplayResult | undefined,
  done: Done,
): Outcome {
  if (result === undefined) return 'unanswered';
  const { outcomes, replayed, missing } = result;
  // By its place: of two journals that a gateway has had both may have this sequence.
  const said = outcomes[at]?.recordSequence === recordSequence ? outcomes[at].outcome : undefined;
  if (said === done || said === 'damaged' || said === 'missing') return said;
  // An older gateway only counts: that tells of each one where all went the same way.
  if (outcomes.length === 0 && missing === 0) return done;
  return outcomes.length === 0 && replayed === 0 ? 'missing' : 'unanswered';
}
