/** The Admin service on gRPC: checks who calls, calls the API, sends the answer. */
import { setImmediate } from 'node:timers/promises';
import type { ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js';
import { exitCode, HilumError } from '../gateway/process/errors.ts';
import type { Log } from '../gateway/process/log.ts';
import { classes, eventKinds } from '../proto/config/event-words.ts';
import { nearest } from '../proto/config/nearest.ts';
import {
  type AdminServer,
  AdminService,
  type EventReply,
  type ListAuditRequest,
  type StreamEventsRequest,
} from '../proto/gen/hilum/v1/admin.ts';
import type { AuditEntry } from '../proto/gen/hilum/v1/session.ts';
import type { AdminApi } from './admin-api.ts';
import { needReason } from './audit/reason.ts';
import { asStored, toClinicalEvent } from './eventlog/clinical.ts';
import type { StoredEvent } from './eventlog/eventlog.ts';
import { rawOf } from './eventlog/raw.ts';
import { listAdmins, revokeAdmin } from './identity/admins.ts';
import type { Peer } from './identity/peers.ts';
import type { AnyCall, GrpcServer } from './session/grpc-server.ts';
import { toStatus } from './session/uplink-service.ts';
import type { Gone } from './store/gone.ts';
import { DamagedRow, orDamaged } from './store/store.ts';

const pageEvents = 500;
const auditPage = 500n;

export function addAdmin(server: GrpcServer, api: AdminApi, log: Log): void {
  const admin = (call: unknown) => server.peer(call as AnyCall, 'admin');
  const refuse = (name: string, path: string) => onlyReads(api, name, path);
  /** @param changes does it change something, or show the bytes of messages? */
  const unary =
    <Request, Response>(
      work: (request: Request, actor: string, gone: Gone) => Promise<Response> | Response,
      changes: (request: Request) => boolean = () => false,
    ) =>
    (call: ServerUnaryCall<Request, Response>, callback: sendUnaryData<Response>) => {
      Promise.resolve()
        .then(() => {
          const { name, readOnly } = admin(call);
          if (readOnly && changes(call.request)) throw refuse(name, call.getPath());
          return work(call.request, name, () => call.cancelled);
        })
        .then(
          (response) => callback(null, response),
          (error: unknown) => callback(toStatus(error, call.getPath(), log)),
        );
    };
  const changing = <Request, Response>(
    work: (request: Request, actor: string) => Promise<Response> | Response,
  ) => unary(work, () => true);
  /** @param still throws where who asked was revoked meanwhile */
  const stream =
    <Request, Reply>(
      work: (call: ServerWritableStream<Request, Reply>, who: Peer, still: () => void) => Promise<void>,
    ) =>
    (call: ServerWritableStream<Request, Reply>) => {
      Promise.resolve()
        .then(() => work(call, admin(call), () => void admin(call)))
        .then(
          () => call.end(),
          (error: unknown) => call.emit('error', toStatus(error, call.getPath(), log)),
        );
    };

  const service: AdminServer = {
    createToken: changing((request, actor) => api.createToken(request, actor)),
    listGateways: unary(() => ({ gateways: api.gateways() })),
    revokeGateway: changing(async ({ gateway, reason }, actor) => ({
      streamsClosed: await api.revoke(gateway, reason, actor),
    })),
    createAdmin: changing((request, actor) => api.createAdmin(request, actor)),
    listAdmins: unary(() => ({ admins: listAdmins(api.state) })),
    revokeAdmin: changing(async (request, actor) => ({
      revoked: await revokeAdmin(api.state, request, actor),
    })),
    streamEvents: stream((call, who, still) => streamEvents(api, call, who, still)),
    trace: unary(({ id }, _actor, gone) => api.traces.find(id, gone)),
    latency: unary((request) => api.latency(request)),
    custody: unary((request) => api.custody(request)),
    listAudit: stream((call, _who, still) => listAudit(api, call, still)),
    verifyAudit: unary(async (_request, _actor, gone) => {
      const verified = await api.state.audit.verify(gone);
      return verified.intact
        ? { intact: true, entries: verified.entries, firstBad: 0n, reason: '', head: verified.head }
        : {
            intact: false,
            entries: verified.entries,
            firstBad: verified.firstBad,
            reason: verified.reason,
            head: '',
          };
    }),
    listQuarantine: unary((request) => api.quarantine(request)),
    showQuarantine: unary(
      ({ id, payload, reason }, actor) => api.showQuarantine(id, payload, reason, actor),
      ({ payload }) => payload,
    ),
    replayQuarantine: changing(({ ids, reason }, actor) => api.replay({ ids, reason, actor })),
    discardQuarantine: changing(({ ids, reason }, actor) => api.discard({ ids, reason, actor })),
    checkConfig: unary(({ yaml, fileName }) => api.config.checkConfig(yaml, fileName)),
    diffConfig: unary(({ yaml, site }) => api.config.diffConfig(yaml, site)),
    pushConfig: changing((request, actor) => api.config.push(request, actor)),
    configHistory: unary((request) => api.config.history(request)),
    configStatus: unary(({ site }) => api.config.configStatus(site)),
    rollbackConfig: changing((request, actor) => api.config.rollback(request, actor)),
    listCodes: unary((request) => api.state.codes.list(request)),
    replayCodes: changing((request, actor) => api.codeReplay.run(request, actor)),
    listSources: unary((request) => ({ sources: api.sources(request) })),
  };
  server.server.addService(AdminService, service);
}

/**
 * Reads the log page by page; a slow reader holds its own stream and nothing else. Whoever sees patients' data is
 * noted: before the bytes, and without them before the first event, so that asking for news leaves nothing.
 */
async function streamEvents(
  api: AdminApi,
  call: ServerWritableStream<StreamEventsRequest, EventReply>,
  { name: actor, readOnly }: Peer,
  still: () => void,
): Promise<void> {
  const { request } = call;
  const { eventLog, audit } = api.state;
  needWord('class', request.class, classes);
  needWord('kind', request.kind, eventKinds);
  if (request.raw && readOnly) throw onlyReads(api, actor, call.getPath());
  let noted = false;
  const note = async () => {
    if (noted) return;
    noted = true;
    const { site, reason } = request;
    await audit.add({ action: 'viewed', actor, site, subject: viewedOf(request), reason });
  };
  if (request.raw) {
    needReason('Looking at the bytes of messages', request.reason);
    await note();
  }
  if (request.id !== '') {
    const event = await eventLog.byId(request.id);
    if (event === undefined || !wanted(event, request)) return;
    await note();
    await write(call, await reply(api, event, request.raw));
    return;
  }
  const end = eventLog.last();
  if (!(await isThere(api, request))) {
    throw new HilumError(
      'log-set-back',
      `What was read up to place ${request.afterIndex} is not in the log any more.`,
      {
        hint:
          request.afterId === ''
            ? `The log ends at place ${end}: where it went further before, the control plane was restored from an older copy. Read from a place before that, or with --from-start.`
            : 'The control plane was restored from an older copy. Read from a place before that, or with --from-start: what you had comes again.',
      },
    );
  }
  const named = request.fromStart || request.afterIndex > 0n || !request.follow;
  let after = named ? request.afterIndex : end;
  let sent = 0;
  let caughtUp = false;
  for (;;) {
    const page = await eventLog.read(after, pageEvents);
    // Also where nothing fits: sessions have their turn between two pages, and whoever went away reads no further.
    await setImmediate();
    if (call.cancelled) return;
    still();
    for (const event of page) {
      after = event.index;
      if (!wanted(event, request)) continue;
      await note();
      await write(call, await reply(api, event, request.raw));
      sent += 1;
      if ((request.limit > 0 && sent >= request.limit) || call.cancelled) return;
    }
    if (page.length > 0) continue;
    if (!caughtUp) {
      caughtUp = true;
      await write(call, {
        event: undefined,
        raw: new Uint8Array(0),
        index: after,
        storedAtUs: 0n,
        caughtUp: true,
      });
    }
    if (!request.follow || call.cancelled) return;
    await nextAppend(api, call, after);
  }
}

/** Nothing has a word that there is not: whoever mistyped one would wait for ever, and believe that nothing came. */
function needWord(field: string, word: string, known: readonly string[]): void {
  if (word === '' || known.includes(word)) return;
  const near = nearest(word, known);
  throw new HilumError('word-unknown', `No event has the ${field} that was asked for.`, {
    hint: near === undefined ? `There are: ${known.join(', ')}.` : `Did you mean "${near}"?`,
    exit: exitCode.usage,
  });
}

/** The refusal, noted. */
function onlyReads({ state }: AdminApi, name: string, path: string): HilumError {
  const subject = path.slice(path.lastIndexOf('/') + 1);
  void state.audit.add({ action: 'refused', actor: name, outcome: 'refused', subject, reason: 'read-only' });
  return new HilumError('read-only', `${name} may ask, and change nothing, nor see the bytes of messages.`, {
    hint: 'Who has an identity that may can make another one: hilumctl admin create.',
    exit: exitCode.refused,
  });
}

/** Whether a reader that goes on finds the log as it left it. */
async function isThere(api: AdminApi, { afterIndex, afterId }: StreamEventsRequest): Promise<boolean> {
  const { eventLog } = api.state;
  if (afterIndex > eventLog.last()) return false;
  if (afterId === '') return true;
  const stored = await orDamaged(eventLog.eventAt(afterIndex));
  // A damaged one may be what it was.
  return stored instanceof DamagedRow || (stored !== undefined && asStored(stored).id === afterId);
}

/** What is looked at, as the audit trail says it. */
function viewedOf({ id, raw, gateway, source, kind, class: lane }: StreamEventsRequest): string {
  const bytes = raw ? (id === '' ? ' with their bytes' : ' with its bytes') : '';
  if (id !== '') return `event ${id}${bytes}`;
  const of = Object.entries({ gateway, source, kind, class: lane }).filter(([, value]) => value !== '');
  return `events${bytes}${of.map(([name, value], at) => `${at === 0 ? ' of' : ','} ${name} ${value}`).join('')}`;
}

async function reply(api: AdminApi, event: StoredEvent, raw: boolean): Promise<EventReply> {
  return {
    event: await toClinicalEvent(event, api.state),
    raw: raw ? await rawOf(api.state.eventLog, event) : new Uint8Array(0),
    index: event.index,
    storedAtUs: event.storedAtUs,
    caughtUp: false,
  };
}

function wanted(event: StoredEvent, request: StreamEventsRequest): boolean {
  return (
    // An empty place in a lane, where an event was damaged at its gateway: it is in quarantine.
    event.envelope.event.length > 0 &&
    (request.site === '' || event.site === request.site) &&
    (request.class === '' || event.lane === request.class) &&
    (request.gateway === '' || event.gateway === request.gateway) &&
    (request.kind === '' || event.envelope.kind === request.kind) &&
    (request.source === '' || event.envelope.source === request.source) &&
    (!event.envelope.repeat || request.repeats || request.id !== '')
  );
}

/** Resolves when the log has grown past `after`, the reader is gone, or someone was revoked. */
function nextAppend(
  api: AdminApi,
  call: ServerWritableStream<StreamEventsRequest, EventReply>,
  after: bigint,
): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      unfollow();
      unheard();
      call.off('cancelled', wake);
      resolve();
    };
    const unfollow = api.state.eventLog.follow(wake);
    const unheard = api.state.peers.onRevocation(wake);
    call.once('cancelled', wake);
    if (api.state.eventLog.last() > after || call.cancelled) wake();
  });
}

async function listAudit(
  api: AdminApi,
  call: ServerWritableStream<ListAuditRequest, AuditEntry>,
  still: () => void,
): Promise<void> {
  const { request } = call;
  const { audit } = api.state;
  const asked = ({ action, gateway }: AuditEntry) =>
    (request.action === '' || action === request.action) &&
    (request.gateway === '' || gateway === request.gateway);
  let { after } = request;
  if (request.limit > 0) {
    const newest: AuditEntry[] = [];
    for (let last = audit.last(); last > after && newest.length < request.limit; ) {
      const before = last > after + auditPage ? last - auditPage : after;
      newest.unshift(...(await audit.list(before, Number(last - before))).filter(asked));
      last = before;
      await setImmediate();
      if (call.cancelled) return;
      still();
    }
    for (const entry of newest.slice(-request.limit)) await write(call, entry);
    return;
  }
  for (;;) {
    const page = await audit.list(after, Number(auditPage));
    for (const entry of page) if (asked(entry)) await write(call, entry);
    after = page.at(-1)?.number ?? after;
    await setImmediate();
    if (page.length < Number(auditPage) || call.cancelled) return;
    still();
  }
}

function write<Reply>(
  call:
    | ServerWritableStream<never, Reply>
    | ServerWritableStream<StreamEventsRequest, Reply>
    | ServerWritableStream<ListAuditRequest, Reply>,
  value: Reply,
): Promise<void> {
  if (call.write(value) || call.cancelled) return Promise.resolve();
  return new Promise((resolve) => {
    const on = () => {
      call.off('drain', on);
      call.off('cancelled', on);
      resolve();
    };
    call.once('drain', on);
    call.once('cancelled', on);
  });
}
