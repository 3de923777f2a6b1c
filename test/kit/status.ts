/** What a gateway's /status says, for tests that count: custody and destinations as numbers, which the text has as strings. */

export function parseStatus<T>(text: string): T {
  const status = JSON.parse(text) as Record<string, unknown>;
  for (const part of ['custody', 'destinations']) {
    status[part] = (status[part] as Record<string, string>[]).map(counted);
  }
  return status as T;
}

function counted(row: Record<string, string>): Record<string, string | number> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (['source', 'destination', 'state', 'reason'].includes(name)) return [name, value];
      if (!/^-?\d+$/.test(value)) throw new Error(`${name} is not a count as a string: ${value}`);
      return [name, Number(value)];
    }),
  );
}
