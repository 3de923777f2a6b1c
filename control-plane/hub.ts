/**
 * The sessions' way to everything else: what a gateway reports goes to the part that owns it, and its site's config
 * comes from there.
 */
import { nowUs64 } from '../gateway/process/clock.ts';
import type { Log } from '../gateway/process/log.ts';
import type { QuarantineEntry } from '../proto/gen/hilum/v1/quarantine.ts';
import type { AuditEntry, Hello } from '../proto/gen/hilum/v1/session.ts';
import { Connects } from './audit/connects.ts';
import { toldBy } from './audit/told.ts';
import { speaksOf } from './config/configs.ts';
import { toOffer } from './config/offer.ts';
import { epochOfRecord } from './eventlog/keys.ts';
import type { State } from './plane.ts';
import type { Hub } from './session/sessions.ts';
import { DamagedRow, orDamaged } from './store/store.ts';
import { Turns } from './turns.ts';

export type HubState = Pick<
  State,
  | 'eventLog'
  | 'registry'
  | 'audit'
  | 'told'
  | 'codes'
  | 'configs'
  | 'telemetry'
  | 'quarantine'
  | 'room'
  | 'configReported'
>;

/** What is said in a session, put where it belongs. */
export function hubOf(state: HubState, log: Log): Hub {
  const { eventLog, registry, audit, told, configs, telemetry, quarantine, room } = state;
  const alarm: Hub['alarm'] = (code, fields) => {
    log('warn', code, fields);
    void audit.add({
      action: code,
      gateway: String(fields.gateway ?? ''),
      outcome: 'failed',
      subject: String(fields.lane ?? ''),
      reason: String(fields.reason ?? ''),
    });
  };
  const connects = new Connects();
  const places = new Turns();
  return {
    nowUs: nowUs64,
    cursor: (gateway, epoch, lane) => eventLog.cursor(gateway, epoch, lane),
    async eventAt(gateway, epoch, lane, sequence) {
      const stored = await orDamaged(eventLog.given({ gateway, epoch, lane, sequence }));
      // One that is damaged is here, and nobody can say what it was.
      return stored === undefined || stored instanceof DamagedRow ? undefined : stored.envelope;
    },
    // In turn, so that a session which was replaced on its way here and its successor do not both count it.
    notHere: (gateway, epoch, lane, first) =>
      places.take(`${gateway} ${epoch} ${lane}`, async () => {
        const cursor = await eventLog.cursor(gateway, epoch, lane);
        const last = first - 1n;
        if (cursor >= last) return cursor;
        const missing = last - cursor;
        log('warn', 'events-missing-here', { gateway, lane, missing: Number(missing) });
        // One write: after a crash nothing of it is said, or counted, for a second time.
        await eventLog.startAfter(gateway, epoch, lane, last, (cursorRow) => {
          const { site = '', missingEvents = 0n } = registry.get(gateway) ?? {};
          const entry = {
            action: 'events-missing-here',
            gateway,
            site,
            outcome: 'failed',
            subject: lane,
            reason: `${missing} events: ${cursor + 1n} to ${last} of epoch ${epoch.toString(16)}`,
          };
          const counted = registry.changed(gateway, { missingEvents: missingEvents + missing });
          return audit.addAll([entry], [counted, cursorRow]);
        });
        return last;
      }),
    isRevoked: (gateway) => registry.isRevoked(gateway),
    holder: (gateway, epoch) => registry.holder(gateway, epoch),
    room,
    append: (gateway, site, batch) => eventLog.append(gateway, site, batch),
    async connected(hello: Hello, line, peer) {
      const row = registry.get(peer.name);
      const epochs = row?.epochs ?? [];
      await registry.update(peer.name, {
        version: hello.version,
        peer: line.peer,
        lastSeenAtUs: nowUs64(),
        certificateExpiresAtUs: peer.expiresAtUs,
        epochs: epochs.includes(hello.epoch) ? epochs : [...epochs, hello.epoch],
        ...(hello.config === undefined ? {} : { config: hello.config }),
      });
      if (hello.config !== undefined) await configs.reported(peer.name, hello.config);
      const leftOut = connects.took(peer.name);
      if (leftOut !== undefined)
        await audit.add({
          action: 'connected',
          actor: peer.name,
          gateway: peer.name,
          site: row?.site ?? '',
          detail: hello.mappingVersion,
          reason: leftOut === 0 ? '' : `${leftOut} more since the entry before`,
        });
      log('info', 'gateway-connected', { gateway: peer.name });
      return { site: row?.site ?? '' };
    },
    async disconnected(gateway, end) {
      const graceful = end === 'goodbye' || end === 'control-plane-drained';
      log('info', 'gateway-disconnected', { gateway, graceful, end });
      await registry.update(gateway, { lastSeenAtUs: nowUs64() });
    },
    // A frame is one write: what it says, and by what it is known when it comes again.
    async audit(gateway, site, entries: AuditEntry[]) {
      const fresh = await told.fresh([gateway, ...registry.earlierNames(gateway)], entries);
      await audit.addAll(
        fresh.entries.map((entry) => toldBy(gateway, site, entry)),
        fresh.rows,
      );
      return entries.at(-1)?.number ?? 0n;
    },
    async quarantine(gateway, site, entries: QuarantineEntry[]) {
      let others = 0;
      const names = registry.namesOf(gateway);
      // An id is all that says which record is meant, and whoever has seen one knows others of its journal.
      const isOwn = ({ id }: QuarantineEntry, found: QuarantineEntry | undefined) => {
        const epoch = epochOfRecord(id);
        const own =
          found !== undefined
            ? names.includes(found.gateway)
            : epoch === undefined || registry.holder(gateway, epoch) === '';
        if (!own) others += 1;
        return own;
      };
      const open = await quarantine.inTurn(async () => {
        const fresh = await quarantine.fresh(
          entries.map((entry) => ({ ...entry, gateway, site })),
          isOwn,
        );
        // That something was replayed, its gateway tells the trail itself, with who asked for it and why.
        const opened = fresh.filter(({ state }) => state === 'open');
        await audit.addAll(
          opened.map(({ id, code }) => ({
            action: 'quarantined',
            actor: gateway,
            gateway,
            site,
            subject: id,
            reason: code,
          })),
          quarantine.rowsOf(fresh),
        );
        return opened;
      });
      if (others > 0) alarm('record-of-another', { gateway, reason: `quarantine entries: ${others}` });
      for (const { urgent, source, code } of open)
        if (urgent) log('warn', 'urgent-quarantined', { gateway, source, reason: code });
      return entries.at(-1)?.number ?? 0n;
    },
    async deliveries(gateway, entries) {
      // One that comes again stands where it stood.
      await telemetry.deliveries(gateway, entries);
      return entries.at(-1)?.number ?? 0n;
    },
    async configReport(gateway, report) {
      await registry.update(gateway, { config: report });
      await configs.reported(gateway, report);
      state.configReported?.(gateway);
    },
    // Each is one flush, so that a slow disk keeps up with what is told at intervals.
    async telemetry(gateway, report) {
      const { clockOffsetUs, clockUncertaintyUs } = report;
      await Promise.all([
        state.codes.report(gateway, registry.get(gateway)?.site ?? '', report),
        telemetry.report(gateway, { ...report, unmapped: [] }),
        registry.update(gateway, { lastSeenAtUs: nowUs64(), clockOffsetUs, clockUncertaintyUs }),
      ]);
    },
    async receipts(gateway, { receipts }) {
      const newest = receipts.at(-1);
      if (newest === undefined) return;
      await Promise.all([
        telemetry.receipts(gateway, receipts),
        registry.update(gateway, { lastAckAtUs: newest.atUs }),
      ]);
    },
    repeats: (gateway, report) => telemetry.repeats(gateway, report),
    offer: (_gateway, site, running) => {
      const desired = configs.desired(site);
      if (desired === undefined || !configs.isWhole(desired)) return undefined;
      return running !== undefined && speaksOf(running, desired) ? undefined : toOffer(desired);
    },
    alarm,
  };
}
