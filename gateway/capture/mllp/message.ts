/** What becomes of a frame: a record in the journal and an answer once that is on stable storage, or a refusal. */
import { IntakeRefused, type RecordDraft } from '../intake.ts';
import { answersTo, hl7Time, type Verdict } from './answers.ts';
import type { Connection } from './connection.ts';
import type { Framed } from './framer.ts';
import { type Header, readHeader } from './header.ts';
import type { MllpHooks, MllpSource } from './options.ts';
import type { MllpPart } from './part.ts';

/** Of an MSH-10: it is kept beside the bytes of its record, which have all of it. */
const controlIdCharsMax = 4096;

export function receive(connection: Connection, framed: Framed, part: MllpPart): void {
  const { counters, hooks, lines, options } = part;
  const { address } = connection;
  if (framed.kind === 'oversize') {
    counters.oversize += 1;
    const header = readHeader(framed.beginning);
    lines.warn('mllp-oversize', address, { bytesMax: options.limits.frameBytesMax });
    if (header !== undefined)
      connection.answer(
        connection.owe(),
        answers(part, header, 'too-large', 'The message is over the size limit'),
      );
    connection.closeAfterAnswers();
    return;
  }
  const header = readHeader(framed.block);
  if (header === undefined) {
    counters.unreadable += 1;
    lines.warn('mllp-no-msh', address, { bytes: framed.block.length });
    connection.closeAfterAnswers();
    return;
  }
  const source = hooks.source(header);
  const objection = source.refuses(header);
  if (objection !== '') {
    counters.refused += 1;
    lines.warn('mllp-refused', address, { source: source.name, reason: objection });
    connection.answer(connection.owe(), answers(part, header, 'refused', objection));
    return;
  }
  counters.messages += 1;
  journal(connection, header, recordOf(header, framed.block, source, hooks), part);
}

function recordOf(header: Header, block: Buffer, source: MllpSource, hooks: MllpHooks): RecordDraft {
  const controlId = header.field(10);
  const draft: RecordDraft = {
    source: source.name,
    protocol: 'mllp',
    raw: block,
    capturedAtUs: BigInt(hooks.nowUs()),
    classGuess: hooks.urgency(block),
    messageControlId: controlId.slice(0, controlIdCharsMax),
  };
  if (controlId === '') return draft;
  draft.repeat = {
    key: `mllp\u0000${source.name}\u0000${header.field(3)}\u0000${header.field(4)}\u0000${controlId}`,
    consult: true,
    window: { ms: source.repeatWindowMs },
    otherBytes: 'conflict',
  };
  return draft;
}

function journal(connection: Connection, header: Header, draft: RecordDraft, part: MllpPart): void {
  const { counters, flow, intake, lines, options } = part;
  const owed = connection.owe();
  const bytes = draft.raw.length;
  flow.inFlight(connection, bytes);
  // Receipts settle in the order of the appends, so answers leave in the order of the messages.
  intake.append(draft).then(
    (receipt) => {
      flow.inFlight(connection, -bytes);
      if (receipt.outcome === 'repeat') counters.repeats += 1;
      connection.answer(owed, answers(part, header, 'durable', ''));
    },
    (error: unknown) => {
      flow.inFlight(connection, -bytes);
      counters.refused += 1;
      const code = error instanceof IntakeRefused ? error.code : 'fault';
      lines.notJournaled(draft.source, code);
      if (options.onRefused === 'close' || code === 'fault') return connection.close('');
      const refusal = answers(part, header, 'refused', 'The gateway cannot take messages now');
      connection.answer(owed, refusal);
      // Whoever is answered nothing would go on sending into nothing.
      if (refusal.length === 0) connection.closeAfterAnswers();
    },
  );
}

function answers({ hooks }: MllpPart, header: Header, verdict: Verdict, text: string): string[] {
  const { nextControlId } = hooks;
  return answersTo(header, verdict, { time: hl7Time(hooks.nowUs()), nextControlId }, text);
}
