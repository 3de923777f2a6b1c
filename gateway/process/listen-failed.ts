/** Why an address cannot be listened on, and what to do: the same for every port of both daemons. */
import { readAddress } from '../../proto/address.ts';
import { codeOf, exitCode } from './errors.ts';

const reasons: Readonly<Record<string, { hint: (host: string) => string; passes: boolean }>> = {
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
  EACCES: {
    hint: () => 'Ports below 1024 are for root alone, which this program is not: take one from 1024 on in',
    passes: false,
  },
};

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
  return /\blisten (E[A-Z]+)\b/.exec(said)?.[1] ?? '';
}
