/** Why an address cannot be listened on, and what to do: the same for every port of both daemons. */
import { readAddress } from '../../proto/address.ts';
import { codeOf, exitCode } from './errors.ts';

interface Reason {
  hint: (host: string) => string;
  /** Another start may help. */
  passes: boolean;
}

const reasons: Readonly<Record<string, Reason>> = {
  // An address may still be on its way after a boot, and another program may let go of its port.
  EADDRINUSE: {
    hint: () => 'Something else listens there ("ss -ltnp" tells what); stop it, or change',
    passes: true,
  },
  EADDRNOTAVAIL: {
    hint: (host) =>
      `No interface of this host has ${host} ("ip address" shows those that there are): correct`,
    passes: true,
  },
  EAI_AGAIN: nameUnknown(),
  ENOTFOUND: nameUnknown(),
  EMFILE: noFiles('this process may open no more files (ulimit -n)'),
  ENFILE: noFiles('this machine may open no more files'),
  EACCES: {
    hint: () => 'Ports below 1024 are for root alone, which this program is not: take one from 1024 on in',
    passes: false,
  },
};

/** Names may come later than this program, after a boot. */
function nameUnknown(): Reason {
  return { hint: (host) => `DNS does not know ${host} (yet): write an address, or correct`, passes: true };
}

function noFiles(what: string): Reason {
  return { hint: () => `${what[0]?.toUpperCase()}${what.slice(1)}; raise that, or check`, passes: true };
}

/** @param key the setting, as in `listeners.lab.listen in the settings` */
export function listenFailed(
  place: string,
  key: string,
  cause: unknown,
): { code: string; hint: string; exit: number } {
  const code = systemCode(cause);
  const reason = reasons[code];
  const hint = reason?.hint(readAddress(place)?.host ?? place) ?? 'Check';
  return {
    code,
    hint: `${hint} ${key}.`,
    exit: reason?.passes === true ? exitCode.tryAgain : exitCode.badConfig,
  };
}

/** gRPC has the code of the system in its text alone. */
function systemCode(cause: unknown): string {
  const code = codeOf(cause);
  if (code !== '') return code;
  const said = cause instanceof Error ? cause.message : '';
  if (said.startsWith('Name resolution failed')) return 'ENOTFOUND';
  return /\blisten (E[A-Z_]+)\b/.exec(said)?.[1] ?? '';
}
