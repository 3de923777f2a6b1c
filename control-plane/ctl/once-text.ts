/** What the config's `once` found of an event, in a sentence without a value of anybody. */
import type { Once, OnceLink } from '../../proto/gen/hilum/v1/event.ts';

export function onceText({ rule, role, links, heldBack, repeats }: Once): string {
  const others = links.map(nameOf).join(', ');
  const words: Record<string, string> = {
    repeat: `a repeat of ${others}, and without an effect`,
    effective: `stands in place of ${others}, which said the same`,
    linked: `beside ${others}; both stay`,
    conflict: `CONFLICT with ${others}; both stay`,
  };
  const counted =
    repeats === 0 ? '' : `, after ${repeats} ${repeats === 1 ? 'repeat' : 'repeats'} of that one`;
  const held = heldBack.length === 0 ? '' : `; not sent to ${heldBack.join(', ')}, which had it`;
  return `${words[role] ?? role} (once.${rule})${counted}${held}`;
}

function nameOf({ record, source, differs }: OnceLink): string {
  const what = `record ${record?.epoch.toString(16)}.${record?.sequence} of ${source}`;
  return differs.length === 0 ? what : `${what} (other ${differs.join(', ')})`;
}
