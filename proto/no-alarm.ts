/** What a text in the place of an alarm says where there is none: devices that write their state there send it all the time. */
const none = new Set(['', 'none', 'false']);

export function saysNoAlarm(text: string): boolean {
  return none.has(text.trim().toLowerCase());
}
