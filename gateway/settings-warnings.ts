/** Settings that are right by themselves and most likely not meant. */
import type { Settings } from './settings.ts';

/** Sentences; empty where there is nothing to tell. */
export function settingsWarnings({ listeners }: Settings): string[] {
  const none = 'listeners: there is none, so nothing is taken in.';
  if (Object.keys(listeners).length === 0) return [none];
  return Object.entries(listeners).flatMap(([name, listener]) => {
    const at = `listeners.${name}`;
    const { mode, certFile, keyFile, caFile, range = [] } = listener.tls;
    const warnings: string[] = [];
    if (mode === 'none' && [certFile, keyFile, caFile].some((file) => file !== undefined))
      warnings.push(
        `${at}.tls: mode none is without TLS, and the files there are not used: write mode: optional or required.`,
      );
    if (mode === 'none' && range.some((one) => one.endsWith('/0')))
      warnings.push(`${at}.tls.range: it has every address: name those of the senders.`);
    if (listener.type === 'mqtt' && publishers(listener) === 0)
      warnings.push(`${at}: nobody may publish there: give it users, or anonymous, with publish.`);
    return warnings;
  });
}

function publishers({ users, anonymous }: Extract<Settings['listeners'][string], { type: 'mqtt' }>): number {
  return [...Object.values(users), anonymous].filter((one) => (one?.publish.length ?? 0) > 0).length;
}
