/** HL7 v2 may come over MQTT too: MSH, FHS or BHS, after a byte order mark and line ends. */
export function looksLikeHl7v2(raw: Uint8Array): boolean {
  let at = raw[0] === 0xef && raw[1] === 0xbb && raw[2] === 0xbf ? 3 : 0;
  while (raw[at] === 0x0d || raw[at] === 0x0a || raw[at] === 0x0b) at += 1;
  const name = String.fromCharCode(raw[at] ?? 0, raw[at + 1] ?? 0, raw[at + 2] ?? 0);
  return name === 'MSH' || name === 'FHS' || name === 'BHS';
}
