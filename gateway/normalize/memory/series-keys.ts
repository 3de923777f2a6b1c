/** What results are remembered under in a patient's series: hashes of their codes [series.ts]. */
import { KeptCode } from '../../../proto/back-writer.ts';
import { loincSystem } from '../../../proto/code-systems.ts';
import type { Code } from '../../../proto/gen/hilum/v1/event.ts';
import { codeText } from './result-keys.ts';
import type { Key } from './series-row.ts';

/** @param of what it hangs from, where it hangs from anything */
export function keyOf(code: Code | undefined, of: string): Key {
  if (of !== '') return keyNamed(`${code === undefined ? '' : nameOf(code)}\n${of}`);
  return code === undefined ? keyNamed('') : keyOfCode(code);
}

const nameOf = KeptCode.once((code) => {
  const loinc = code.codings.find(({ system, code: value }) => system === loincSystem && value !== '');
  return loinc === undefined ? codeText(code) : loinc.code;
});

const keyOfCode = KeptCode.once((code) => keyNamed(nameOf(code)));

function keyNamed(name: string): Key {
  const [high, low] = hashOf(name);
  return { high, low: low & 0xffff };
}

/** FNV-1a, and another one of 32 bits. */
export function hashOf(text: string): [number, number] {
  let high = 0x811c9dc5;
  let low = 0x2545f491;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low ^ unit, 0x5bd1e995);
    low ^= low >>> 15;
  }
  return [high >>> 0, low >>> 0];
}
