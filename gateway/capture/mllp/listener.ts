/**
 * The MLLP listener. A connection is a framer in front and a queue of answers behind:
 * each message goes to the journal as it comes, answers leave in the order of the messages,
 * and each only after its record is on stable storage. Everything is bounded: frame bytes,
 * time inside a frame, idle time, connections in all and for one address, and what waits in
 * memory (flow.ts). A sender that is too fast is paused, not dropped.
 */
import type { AddressInfo, Socket } from 'node:net';
import { errorWord } from '../../process/log.ts';
import { Places } from '../../process/places.ts';
import { type Intake, IntakeRefused, type RecordDraft } from '../intake.ts';
import { PerMinute } from '../rate.ts';
import { type RefusalReason, Refusals } from '../refusals.ts';
import { answersTo, hl7Time, type Verdict } from './answers.ts';
import { Flow } from './flow.ts';
import { createFramer, type Framed, type Framer, frame } from './framer.ts';
import { type Header, readHeader } from './header.ts';
import {
  emptyCounters,
  type MllpHooks,
  type MllpListener,
  type MllpOptions,
  type MllpSource,
} from './options.ts';
import { createMllpServer, type MllpServer } from './server.ts';
import { isHopeless, strayAdvice, strayKind } from './stray.ts';

interface Connection {
  socket: Socket;
  /** Of the peer; for the log, also once the socket is gone. */
  address: string;
  /** One for each message in order; answers leave from the head, so they keep the order of the messages. */
  slots: Slot[];
  framer: Framer;
  frameTimer: NodeJS.Timeout | undefined;
  closing: boolean;
  /** Came after it was closing. */
  droppedBytes: number;
}

interface Slot {
  /** Undefined: not decided yet. */
  answers: string[] | undefined;
}

/** After the last answer what the peer still sends is read and dropped this long: a reset would take the answer along. */
const lingerMs = 500;
/** More than that is of a sender that does not stop: it is not read any more. */
const lingerBytesMax = 4 * 1024 * 1024;
const keepAliveMs = 30_000;
/** Of an MSH-10: it is kept beside the bytes of its record, which have all of it. */
const controlIdCharsMax = 4096;
/** For an address and a minute; the counts have all that it tries. */
const refusedLinesMax = 120;

export function createMllpListener(options: MllpOptions, intake: Intake, hooks: MllpHooks): MllpListener {
  const counters = emptyCounters();
  const refused = new Refusals();
  const connections = new Set<Connection>();
  const flow = new Flow<Connection>(options.limits, counters, {
    onHeld: (connection, held) => (held ? endFrameTime(connection) : timeFrame(connection)),
    onUnread: (connection) => close(connection, 'mllp-answers-unread'),
  });
  const places = new Places<Socket>(options.limits.connectionsMax, options.limits.connectionsPerAddressMax);
  let mllp: MllpServer | undefined;
  let stopping = false;
  const strayLines = new PerMinute(1);
  const refusedLines = new PerMinute(refusedLinesMax);
  let refusals = 0;
  let refusalLoggedMs = Number.NEGATIVE_INFINITY;
  const context = {
    get time() {
      return hl7Time(hooks.nowUs());
    },
    nextControlId: hooks.nextControlId,
  };

  function admit(socket: Socket): boolean {
    const address = socket.remoteAddress ?? '';
    const reason = !options.allow(address) ? 'address' : places.isFull(address) ? 'limit' : undefined;
    if (stopping || reason !== undefined) {
      if (reason === undefined) counters.refused += 1;
      else refuse(reason, address);
      tell('mllp-connection-refused', address, reason ?? 'stopping');
      return false;
    }
    places.take(socket, address);
    return true;
  }

  function accept(socket: Socket): void {
    if (stopping) {
      socket.destroy();
      return;
    }
    const framer = createFramer(options.limits.frameBytesMax);
    const connection: Connection = {
      socket,
      address: socket.remoteAddress ?? '',
      slots: [],
      framer,
      frameTimer: undefined,
      closing: false,
      droppedBytes: 0,
    };
    connections.add(connection);
    flow.add(connection);
    counters.connectionsTotal += 1;
    socket.setNoDelay(true);
    // A peer that is gone without a word gives its descriptor back.
    socket.setKeepAlive(true, keepAliveMs);
    socket.on('close', () => connections.delete(connection));
    // A reset is the peer's way of closing: what was answered stays answered.
    socket.on('error', () => socket.destroy());
    serve(connection);
  }

  /** Nothing came of these yet, and nothing is owed to them. */
  function inHandshake(): Socket[] {
    // With TLS two sockets stand for one connection, and have its peer in common.
    const peer = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;
    const ready = new Set([...connections].map(({ socket }) => peer(socket)));
    return [...places.holders].filter((socket) => !ready.has(peer(socket)));
  }

  function refuse(reason: RefusalReason, address: string, detail = ''): void {
    counters.refused += 1;
    refused.note(reason, hooks.nowUs(), { address, detail });
  }

  function tell(code: string, address: string, reason: string): void {
    if (!refusedLines.allow(`${code} ${address}`, hooks.elapsedMs())) return;
    hooks.log('warn', code, { listener: options.name, ...(address === '' ? {} : { address }), reason });
  }

  /** Of a message that is not taken: a sender sends the next one at once. */
  function tellOf({ address }: Connection, code: string, fields: Record<string, string | number>): void {
    if (refusedLines.allow(`${code} ${address}`, hooks.elapsedMs()))
      hooks.log('warn', code, { ...fields, address });
  }

  function serve(connection: Connection): void {
    const { socket, framer } = connection;
    let stray = 0;
    let broken = 0;
    let first = true;
    /** A frame has begun on it. */
    let begun = false;
    socket.setTimeout(options.limits.idleTimeoutMs, () => close(connection, 'mllp-idle'));
    socket.on('data', (chunk: Buffer) => {
      if (connection.closing) {
        connection.droppedBytes += chunk.length;
        // Not destroyed: it may not have read what it is answered yet.
        if (connection.droppedBytes > lingerBytesMax) socket.pause();
        return;
      }
      // Before the framer: any of its bytes may be VT, as in nearly every TLS hello.
      if (first && isHopeless(strayKind(chunk))) {
        counters.strayBytes += chunk.length;
        return outside(connection, chunk);
      }
      first = false;
      const found = framer.push(chunk);
      if (found.length > 0 || framer.pendingBytes() > 0) begun = true;
      else if (!begun && framer.strayBytes() > stray) outside(connection, chunk);
      for (const framed of found) handle(connection, framed);
      counters.strayBytes += framer.strayBytes() - stray;
      stray = framer.strayBytes();
      const begunAgain = framer.brokenOff() > broken;
      if (begunAgain) {
        // The counter has them all; one line a connection is enough for a sender that always does it.
        if (broken === 0)
          hooks.log('warn', 'mllp-broken-off', { listener: options.name, address: connection.address });
        counters.brokenOff += framer.brokenOff() - broken;
        broken = framer.brokenOff();
      }
      // Each frame has its own time, also when the next one begins in the chunk that ended the last.
      if (found.length > 0 || begunAgain || framer.pendingBytes() === 0) endFrameTime(connection);
      timeFrame(connection);
      flow.halfFrame(connection, framer.pendingBytes());
      flow.look(connection);
    });
    // A sender may close its half once it has sent; what it is owed still goes out.
    socket.on('end', () => closeAfterAnswers(connection));
    socket.on('close', () => endFrameTime(connection));
  }

  /** No frame has begun on this connection, and something came: whoever set the sender up waits for an answer. */
  function outside(connection: Connection, chunk: Buffer): void {
    const seen = strayKind(chunk);
    const { name: listener } = options;
    // A probe comes every few seconds, a sender again and again: the counter has them all.
    if (strayLines.allow(`${seen} ${connection.address}`, hooks.elapsedMs()))
      hooks.log('warn', 'mllp-not-framed', {
        listener,
        address: connection.address,
        seen,
        advice: strayAdvice[seen],
      });
    if (!isHopeless(seen)) return;
    counters.unreadable += 1;
    refused.note('protocol', hooks.nowUs(), { address: connection.address, detail: seen });
    close(connection, '');
  }

  function timeFrame(connection: Connection): void {
    if (connection.framer.pendingBytes() === 0) return;
    connection.frameTimer ??= setTimeout(
      () => close(connection, 'mllp-frame-timeout'),
      options.limits.frameTimeoutMs,
    );
  }

  function endFrameTime(connection: Connection): void {
    clearTimeout(connection.frameTimer);
    connection.frameTimer = undefined;
  }

  function handle(connection: Connection, framed: Framed): void {
    if (connection.closing) return;
    if (framed.kind === 'oversize') {
      counters.oversize += 1;
      const header = readHeader(framed.beginning);
      tellOf(connection, 'mllp-oversize', {
        listener: options.name,
        bytesMax: options.limits.frameBytesMax,
      });
      if (header !== undefined) {
        answer(connection, slot(connection), header, 'too-large', 'The message is over the size limit');
      }
      closeAfterAnswers(connection);
      return;
    }
    const header = readHeader(framed.block);
    if (header === undefined) {
      counters.unreadable += 1;
      tellOf(connection, 'mllp-no-msh', { listener: options.name, bytes: framed.block.length });
      closeAfterAnswers(connection);
      return;
    }
    const source = hooks.source(header);
    const objection = source.refuses(header);
    if (objection !== '') {
      counters.refused += 1;
      tellOf(connection, 'mllp-refused', { source: source.name, reason: objection });
      answer(connection, slot(connection), header, 'refused', objection);
      return;
    }
    journal(connection, header, framed.block, source);
  }

  function journal(connection: Connection, header: Header, block: Buffer, source: MllpSource): void {
    counters.messages += 1;
    const owed = slot(connection);
    const controlId = header.field(10);
    const draft: RecordDraft = {
      source: source.name,
      protocol: 'mllp',
      raw: block,
      capturedAtUs: BigInt(hooks.nowUs()),
      classGuess: hooks.urgency(block),
      messageControlId: controlId.slice(0, controlIdCharsMax),
    };
    if (controlId !== '') {
      draft.repeat = {
        key: `mllp\u0000${source.name}\u0000${header.field(3)}\u0000${header.field(4)}\u0000${controlId}`,
        consult: true,
        window: { ms: source.repeatWindowMs },
        otherBytes: 'conflict',
      };
    }
    flow.inFlight(connection, block.length);
    // Receipts settle in the order of the appends, so answers leave in the order of the messages.
    intake.append(draft).then(
      (receipt) => {
        flow.inFlight(connection, -block.length);
        if (receipt.outcome === 'repeat') counters.repeats += 1;
        answer(connection, owed, header, 'durable', '');
      },
      (error: unknown) => {
        flow.inFlight(connection, -block.length);
        counters.refused += 1;
        const code = error instanceof IntakeRefused ? error.code : 'fault';
        logRefusal(source.name, code);
        if (options.onRefused === 'reject' && code !== 'fault') {
          answer(connection, owed, header, 'refused', 'The gateway cannot take messages now');
          // Whoever is answered nothing would go on sending into nothing.
          if (owed.answers?.length === 0) closeAfterAnswers(connection);
        } else {
          close(connection, '');
        }
      },
    );
  }

  /** A full disk refuses everybody: one line a second says how many. */
  function logRefusal(source: string, reason: string): void {
    refusals += 1;
    if (hooks.elapsedMs() - refusalLoggedMs < 1_000) return;
    refusalLoggedMs = hooks.elapsedMs();
    hooks.log('warn', 'mllp-not-journaled', { source, reason, count: refusals });
    refusals = 0;
  }

  function slot(connection: Connection): Slot {
    const made: Slot = { answers: undefined };
    connection.slots.push(made);
    return made;
  }

  function answer(connection: Connection, owed: Slot, header: Header, verdict: Verdict, text: string): void {
    owed.answers = answersTo(header, verdict, context, text);
    if (connection.socket.destroyed) return;
    const ready: Buffer[] = [];
    while (connection.slots[0]?.answers !== undefined) {
      for (const block of connection.slots.shift()?.answers ?? []) ready.push(frame(block));
    }
    counters.answered += ready.length;
    if (ready.length === 1) connection.socket.write(ready[0] as Buffer);
    else if (ready.length > 1) connection.socket.write(Buffer.concat(ready));
    if (connection.closing) finish(connection);
    else flow.look(connection);
  }

  /** Nothing more is journaled; answers that are owed still go out. */
  function closeAfterAnswers(connection: Connection): void {
    connection.closing = true;
    finish(connection);
  }

  function finish(connection: Connection): void {
    if (connection.slots.length > 0 || connection.socket.destroyed) return;
    connection.socket.end();
    connection.socket.resume();
    setTimeout(() => connection.socket.destroy(), lingerMs).unref();
  }

  function close(connection: Connection, code: string): void {
    if (code !== '') hooks.log('info', code, { listener: options.name, address: connection.address });
    connection.closing = true;
    connection.socket.destroy();
  }

  return {
    start() {
      mllp = createMllpServer(options, {
        admit,
        accept,
        onTlsRefused(code, { address, spoke }, reason) {
          if (spoke) refuse('tls', address, reason);
          tell(code, address, reason);
        },
      });
      const listening = mllp.server;
      return new Promise((resolve, reject) => {
        listening.once('error', reject);
        listening.listen(options.port, options.host, () => {
          listening.off('error', reject);
          // No file for another connection: whoever wanted it comes again, and the others go on.
          listening.on('error', (error) =>
            hooks.log('warn', 'mllp-accept-failed', { listener: options.name, reason: errorWord(error) }),
          );
          resolve(listening.address() as AddressInfo);
        });
      });
    },
    async stop(deadlineMs) {
      stopping = true;
      const closed = new Promise<void>((resolve) => {
        if (mllp?.server.listening === true) mllp.server.close(() => resolve());
        else resolve();
      });
      for (const connection of connections) closeAfterAnswers(connection);
      for (const socket of inHandshake()) socket.destroy();
      const timer = setTimeout(() => {
        for (const socket of places.holders) socket.destroy();
      }, deadlineMs);
      await closed;
      clearTimeout(timer);
    },
    counters: () => ({ ...counters, connections: places.holders.size }),
    refused: () => refused.all(),
    renew: (tls) => mllp?.renew(tls),
  };
}
