/** What a running gateway says of itself that somebody must act on. */
import { problemsText } from '../proto/config/problem.ts';
import { waitText } from './destination-text.ts';
import type { Add } from './doctor.ts';
import { acceptFields } from './not-accepted.ts';
import { nowUs } from './process/clock.ts';
import { aheadText, isWrongClock } from './process/clock-text.ts';
import { counted, time } from './process/output.ts';
import { refusalAdvice } from './refusal-advice.ts';
import type { RunningStatus } from './running-status.ts';
import type { Identity } from './uplink/identity.ts';

/** Alarms that have a finding of their own, which tells whom it is about while it is so. */
const alarmsElsewhere = new Set([
  'urgent-quarantined',
  'config-rule-failed',
  'mapping-circuit-open',
  'mapping-failing',
  'clock-skew',
  'clock-zone',
  'destination-mismatched',
  'destination-unused',
]);

export function checkRunning(status: RunningStatus, identity: Identity | undefined, add: Add): void {
  if (status.ready) add('gateway', 'ok', 'running', 'running and ready');
  else {
    add('gateway', 'warn', 'not-ready', `running, not ready: ${status.notReady}`, 'See the findings below.');
  }
  if (identity !== undefined && identity.gateway !== status.gateway) {
    add(
      'gateway',
      'fail',
      'identity-not-used',
      `it runs as ${status.gateway || 'not enrolled'}, and ${identity.gateway} is enrolled here`,
      'It takes the identity up within seconds; where this stays, restart the gateway.',
    );
  }
  checkUplink(status, add);
  checkListening(status, add);
  checkJournal(status, add);
  checkConfig(status, add);
  checkQuarantine(status, add);
  checkDestinations(status, add);
  checkSources(status, add);
  checkAccepted(status, add);
  for (const { code, atUs } of status.alarms) {
    if (alarmsElsewhere.has(code)) continue;
    const { what, todo } = alarmTexts[code] ?? {
      what: `the gateway raised ${code}`,
      todo: 'Its line in the log says where.',
    };
    add('alarm', 'warn', code, `${what}, last at ${time(atUs)} UTC`, todo);
  }
}

const copyRuns =
  'another process may run with this identity (a copy of this machine or of its data directory): stop one of them, and look at "hilumctl audit list --action gateway-twice" at the centre';

const alarmTexts: Readonly<Record<string, { what: string; todo: string }>> = {
  'journal-restored': {
    what: 'the control plane already had other events than this journal under the same numbers: an older copy of the data was put back, or is run beside it; it goes on under new numbers, and nothing that is here is left out',
    todo: `If somebody put a copy back: what was answered after the copy was made and had not been delivered is not here, so the senders have to send it again. If nobody did: ${copyRuns}.`,
  },
};

/** Acknowledged is within milliseconds; a control plane that flushes slowly takes seconds. */
const unacknowledgedUs = 60_000_000;

/** Seconds for which something waits and nothing is acknowledged on a line that is up; 0 where that is as usual. */
export function unacknowledgedS({ uplink, journal }: Pick<RunningStatus, 'uplink' | 'journal'>): number {
  const oldestUs = Number(journal.oldestPendingAtUs);
  if (uplink.state !== 'connected' || oldestUs === 0) return 0;
  const us = nowUs() - Math.max(oldestUs, Number(uplink.lastAckAtUs));
  return us < unacknowledgedUs ? 0 : Math.floor(us / 1e6);
}

function checkUplink(status: RunningStatus, add: Add): void {
  const { uplink, enrolled } = status;
  if (!enrolled) return;
  if (uplink.state === 'connected') {
    checkOwnClock(uplink, add);
    const seconds = unacknowledgedS(status);
    if (seconds > 0) {
      add(
        'uplink',
        'warn',
        'uplink-not-acknowledged',
        `connected, and for ${seconds} s nothing was acknowledged of what waits; it is kept`,
        'Ask the central team whether the volume of the control plane is full (its log, /healthz).',
      );
    }
    return;
  }
  const refused = uplink.reason === 'not-authenticated' || uplink.reason === 'permission-denied';
  if (refused) {
    add(
      'uplink',
      'fail',
      'not-authenticated',
      'the control plane does not take the certificate of this gateway: it was revoked, or is of another control plane, or this one was restored from a copy older than the enrollment',
      'Ask the central team (hilumctl gateways); then: hilum-gateway enroll --replace with a new token.',
    );
  } else if (uplink.reason === 'proxy-unreachable' || uplink.reason === 'proxy-refused') {
    const how = uplink.reason === 'proxy-refused' ? 'does not let it through' : 'cannot be reached';
    add(
      'uplink',
      'warn',
      'proxy-unreachable',
      `not connected: its proxy ${uplink.proxy ?? ''} ${how}; what comes is kept`,
      'Check uplink.proxy in the settings, and restart after a change; the line "control plane" tests what they say now.',
    );
  } else {
    add(
      'uplink',
      'warn',
      'uplink-waiting',
      `not connected${uplink.reason === '' ? '' : ` (${uplink.reason})`}; what comes is kept`,
      uplink.reason === 'ended-by-peer'
        ? `It tries again by itself; where this comes again and again, ${copyRuns}.`
        : 'It tries again by itself; the line "control plane" says whether the way is open.',
    );
  }
}

/** As much as the clock of a source may differ, where its config says nothing. */
const ownClockUs = 60_000_000;

/** A certificate tells of months; the line to the centre tells of seconds. */
function checkOwnClock({ clockOffsetUs }: RunningStatus['uplink'], add: Add): void {
  const offset = BigInt(clockOffsetUs);
  if (Math.abs(Number(offset)) <= ownClockUs) return;
  add(
    'clock',
    'warn',
    'clock-offset',
    `the clock of this host is ${aheadText(offset)}${offset > 0n ? ' of' : ''} that of the control plane; what is captured has its times`,
    'Let both follow a time server; set this one right if it is the one that is wrong.',
  );
}

/** Who was refused before that may have been put right since; the status still shows it. */
const refusedLatelyUs = 3_600_000_000;

function checkListening({ listeners }: RunningStatus, add: Add): void {
  for (const listener of listeners) {
    const { name, address, state, plain } = listener;
    if (state !== 'listening') {
      add('listener', 'fail', 'listener-down', `${name} is ${state}`, 'See its line in the log.');
    } else if (plain !== undefined) {
      tellPlain(name, address, plain, add);
    }
    tellRefused(listener, add);
  }
}

function tellRefused({ name, type, refused }: RunningStatus['listeners'][number], add: Add): void {
  for (const { reason, causes, ...last } of refused) {
    if (nowUs() - Number(last.atUs) > refusedLatelyUs) continue;
    // Of those that still come the most frequent one; an older gateway tells of the last one alone.
    const one = causes
      .filter(({ atUs }) => nowUs() - Number(atUs) <= refusedLatelyUs)
      .reduce((most, cause) => (cause.count >= most.count ? cause : most), { ...last, count: 0 });
    const [of, which] =
      one.count === 0 || one.count === last.count
        ? ['', 'the last one']
        : [`, ${one.count} of them`, 'the last of these'];
    const why = `${one.detail === '' ? reason : `${reason}: ${one.detail}`}${of}`;
    const who = `${one.user === '' ? '' : ` user ${one.user}`}${one.address === '' ? '' : ` from ${one.address}`}`;
    add(
      'listener',
      'warn',
      'listener-refused',
      `${name} refused ${counted(last.count, 'connection')} (${why}), ${which}${who} at ${time(one.atUs)} UTC`,
      refusalAdvice(name, type, { ...one, reason }),
    );
  }
}

/** Until the messages stop: nothing else tells of them, and the sender may not look at its answers. */
function checkAccepted({ notAccepted }: RunningStatus, add: Add): void {
  for (const { source, field, count, atUs } of notAccepted) {
    if (nowUs() - Number(atUs) > refusedLatelyUs) continue;
    const key = (acceptFields as Readonly<Record<string, string>>)[field] ?? field;
    add(
      'source',
      'warn',
      'not-accepted',
      `${source}: ${counted(count, 'message')} refused for ${count === 1 ? 'its' : 'their'} ${field}, the last one at ${time(atUs)} UTC; each was answered AR, and nothing of it is kept`,
      `The central team: is sources.${source}.accept.${key} in the config right? What was refused the sender has to send again.`,
    );
  }
}

/** Somebody allowed it; it is to be seen, running or not. */
export function tellPlain(
  name: string,
  address: string,
  { reason, owner }: { reason: string; owner: string },
  add: Add,
): void {
  const todo = `Agreed by ${owner}; review it.`;
  add('listener', 'warn', 'listener-plain', `${name} at ${address} has no TLS: "${reason}"`, todo);
}

function checkJournal({ journal, custody }: RunningStatus, add: Add): void {
  if (journal.state !== 'open') {
    add(
      'journal',
      'fail',
      `journal-${journal.state}`,
      'the journal takes nothing more',
      journal.state === 'budget'
        ? 'See why it does not drain (uplink, destinations); or raise journal.bytesMax.'
        : 'Free space on its volume, or enlarge it.',
    );
  }
  for (const { source, missing } of custody) {
    if (Number(missing) === 0) continue;
    add(
      'custody',
      'fail',
      'records-missing',
      `${source}: ${missing} records are not accounted for`,
      'Stop the gateway, keep its data, run: hilum-gateway journal verify',
    );
  }
}

function checkConfig({ config }: RunningStatus, add: Add): void {
  const { attempted, running } = config;
  if (attempted.outcome !== 'refused') return;
  const why = problemsText(attempted.problems ?? []);
  add(
    'config',
    'fail',
    'config-refused',
    `version ${attempted.version} was refused (${why}); ${running.version === '0' ? 'the built-in meaning' : `version ${running.version}`} runs on`,
    'The central team corrects it and pushes again; a listener that it names must be in the settings here.',
  );
}

function checkQuarantine({ custody }: RunningStatus, add: Add): void {
  const waiting = custody.filter(({ quarantined }) => Number(quarantined) > 0);
  if (waiting.length === 0) return;
  const urgent = waiting.some(({ urgentQuarantined }) => Number(urgentQuarantined) > 0);
  const what = waiting
    .map(({ source, quarantined, urgentQuarantined }) =>
      Number(urgentQuarantined) > 0
        ? `${source} ${quarantined}, of them urgent ${urgentQuarantined}`
        : `${source} ${quarantined}`,
    )
    .join(', ');
  add(
    'quarantine',
    urgent ? 'fail' : 'warn',
    urgent ? 'urgent-quarantined' : 'quarantined',
    `${urgent ? 'a message that looks urgent was not understood' : 'messages were not understood'} (${what})`,
    'The central team sees why: hilumctl quarantine list; then quarantine replay.',
  );
}

function checkDestinations({ destinations }: RunningStatus, add: Add): void {
  for (const one of destinations) {
    const { destination, pending, dead, state } = one;
    if (Number(pending) > 0 && state === 'waiting') {
      const { what, todo } = waitText(one);
      add(
        'destination',
        'fail',
        'destination-waiting',
        `${destination} ${what}; ${pending} wait for it`,
        todo,
      );
    }
    if (Number(pending) > 0 && state === 'unused') {
      add(
        'destination',
        'fail',
        'destination-unused',
        `no config names ${destination} any more, and ${pending} messages wait for it`,
        'Bring the destination back with a config push, or decide with the central team that they are not sent.',
      );
    }
    if (Number(dead) > 0) {
      const todo =
        'Tell whoever runs the receiver; then, with the gateway stopped, "hilum-gateway journal dead-letters list" shows them and "requeue" sends them again.';
      add('destination', 'warn', 'dead-letters', `${destination} refused ${dead} messages`, todo);
    }
  }
}

function checkSources({ circuits, clocks, failedRules }: RunningStatus, add: Add): void {
  for (const { source, rule, records } of failedRules) {
    add(
      'config',
      'warn',
      'config-rule-failed',
      `the condition of ${rule} could not be evaluated on ${records} records of ${source}, and counted as not met`,
      'Tell the central team: the event says so in provenance.remarks; size(…) > 0 guards what may be missing.',
    );
  }
  for (const { source, state, failures } of circuits) {
    const open = state === 'open';
    add(
      'mapping',
      'fail',
      open ? 'mapping-circuit-open' : 'mapping-failing',
      `the mapping of ${source} failed on ${failures} messages in a row${open ? '; the next ones go to quarantine untried' : ''}`,
      'The central team sees it: hilumctl sources --wrong; then config rollback or push, and quarantine replay.',
    );
  }
  for (const { source, verdict, text } of clocks) {
    if (!isWrongClock(verdict)) continue;
    add(
      'clock',
      'warn',
      verdict === 'zone' ? 'clock-zone' : 'clock-skew',
      `${source}: its clock is ${text}`,
      verdict === 'zone'
        ? 'The zone of the source, or of the site, in the config may be wrong, or the zone of the sender.'
        : 'Set the clock of the sender right, and let it follow a time server; see that this host follows one.',
    );
  }
}
