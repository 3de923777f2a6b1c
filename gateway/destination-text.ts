/** Why a local destination waits, in words that a person can act on: one for each code with which a delivery fails. */
import type { Standing } from './destinations.ts';
import { tlsHint } from './process/line-reason.ts';
import { time } from './process/output.ts';

/** Of one that waits. */
type Waiting = Pick<Standing, 'reason' | 'timeoutMs' | 'answeredAfterMs'> & {
  destination: string;
  waitingSinceUs: string;
};

/** What it does, as a sentence about it goes on; and what to do. */
export function waitText(waiting: Waiting): { what: string; todo: string } {
  const { destination, reason, waitingSinceUs } = waiting;
  const since = `(${reason}, since ${time(waitingSinceUs)})`;
  const hint = tlsHint(reason, destination);
  if (hint !== undefined) return { what: `is not reached over TLS ${since}`, todo: hint };
  const { what, todo } = texts[reason]?.(waiting) ?? other;
  return { what: `${what} ${since}`, todo };
}

const other = {
  what: 'does not take messages',
  todo: 'Is its receiver up, does it answer, and is the address in the config right? It is tried again for ever.',
};

const texts: Record<string, (waiting: Waiting) => { what: string; todo: string }> = {
  'no-connection': ({ destination }) => ({
    what: 'is not reached: nothing takes connections at its address',
    todo: `Is its receiver up, is destinations.${destination}.address in the config right, and is the way there open? It is tried again for ever.`,
  }),
  'no-answer': ({ destination, timeoutMs }) => ({
    what: `takes connections and does not answer; each try waits ${timeoutMs / 1000} s for it, and the message is sent again`,
    todo: `Does its receiver work, and answer each message? Where it takes longer than that, raise destinations.${destination}.timeout in the config.`,
  }),
  'answer-late': ({ destination, timeoutMs, answeredAfterMs }) => ({
    what: `answers later than its timeout: after ${Math.ceil(answeredAfterMs / 100) / 10} s, where each try waits ${timeoutMs / 1000} s, and the message is sent again`,
    todo: `Raise destinations.${destination}.timeout in the config, or let whoever runs its receiver make it faster: until then it gets the same message again and again.`,
  }),
  closed: () => ({
    what: 'closes the connection without an answer',
    todo: 'The log of its receiver says why: may this host connect, does it want TLS, does it take such messages?',
  }),
  'answer-unreadable': ({ destination }) => ({
    what: 'answers with what is no HL7 acknowledgment',
    todo: `Is it an HL7 receiver that has destinations.${destination}.address in the config, and with TLS or without as .tls says? An answer is an MLLP block of MSH and MSA, with AA, AE, AR, CA, CE or CR in MSA-1.`,
  }),
  'answer-of-another-message': () => ({
    what: 'names another message in its answer',
    todo: 'Tell whoever runs its receiver: MSA-2 has to be the MSH-10 of the message that is answered.',
  }),
  'answer-too-large': ({ destination }) => ({
    what: 'answers with more than an acknowledgment can have (64 KiB)',
    todo: `Is it an HL7 receiver that has destinations.${destination}.address in the config?`,
  }),
  'application-error': () => ({
    what: 'answers with an error (AE or CE)',
    todo: 'The log of its receiver says why. What it answers so three times is kept aside as a dead letter.',
  }),
};
