/** Topic names and topic filters. Pure; MQTT 3.1.1 section 4.7. */

/** A topic name that a client may name in PUBLISH or a will. */
export function isTopicName(topic: string, levelsMax: number): boolean {
  if (topic.length === 0 || topic.length > 65_535) return false; // [MQTT-4.7.3-1] [MQTT-4.7.3-3]
  let levels = 1;
  for (let i = 0; i < topic.length; i++) {
    const c = topic.charCodeAt(i);
    if (c === SLASH) levels++;
    // [MQTT-3.3.2-2] no wildcards; [MQTT-1.5.3-2] no U+0000. U+FFFD is what the parser leaves of ill-formed
    // UTF-8 [MQTT-1.5.3-1]; control characters may be refused [MQTT-1.5.3] and would only spoil logs.
    else if (c === PLUS || c === HASH || c === 0xfffd || isControl(c)) return false;
  }
  return levels <= levelsMax;
}

/** Control and non-characters that a receiver may close the connection for (MQTT 3.1.1 section 1.5.3). */
export function isCleanText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0xfffd || isControl(c)) return false;
  }
  return true;
}

/** A well-formed topic filter [MQTT-4.7.1-2] [MQTT-4.7.1-3]. */
export function isTopicFilter(filter: string, levelsMax: number): boolean {
  if (filter.length === 0 || filter.length > 65_535 || !isCleanText(filter)) return false;
  const levels = filter.split('/');
  if (levels.length > levelsMax) return false;
  return levels.every((level, i) => {
    if (level === '#') return i === levels.length - 1;
    return level === '+' || !(level.includes('#') || level.includes('+'));
  });
}

/** Does the topic name match the filter? Section 4.7.1, and [MQTT-4.7.2-1] for `$` topics. */
export function filterMatches(filter: readonly string[], topic: readonly string[]): boolean {
  const first = filter[0];
  if (topic[0]?.startsWith('$') && (first === '#' || first === '+')) return false;
  for (let i = 0; i < filter.length; i++) {
    if (filter[i] === '#') return true; // also the parent level: `a/#` matches `a`
    if (i >= topic.length) return false;
    if (filter[i] !== '+' && filter[i] !== topic[i]) return false;
  }
  return filter.length === topic.length;
}

/** Does everything that `asked` can match lie inside `allowed`? */
export function filterCovers(allowed: readonly string[], asked: readonly string[]): boolean {
  const first = allowed[0];
  if (asked[0]?.startsWith('$') && (first === '#' || first === '+')) return false;
  for (let i = 0; i < allowed.length; i++) {
    if (allowed[i] === '#') return true;
    if (i >= asked.length || asked[i] === '#') return false;
    if (allowed[i] !== '+' && allowed[i] !== asked[i]) return false;
  }
  return allowed.length === asked.length;
}

/** Is there a topic that both filters take? [MQTT-4.7] */
export function filtersMeet([a, ...restA]: readonly string[], [b, ...restB]: readonly string[]): boolean {
  if (a === '#' || b === '#') return true;
  if (a === undefined || b === undefined) return a === b;
  return (a === '+' || b === '+' || a === b) && filtersMeet(restA, restB);
}

const SLASH = 0x2f;
const PLUS = 0x2b;
const HASH = 0x23;

function isControl(c: number): boolean {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0xfdd0 && c <= 0xfdef) || c === 0xfffe || c === 0xffff;
}
