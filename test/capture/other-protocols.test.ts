/** Who speaks something else at an MQTT listener is told what to set. */
import t from 'tap';
import { FixedHeaders } from '../../gateway/capture/mqtt/guard.ts';
import { refusalAdvice } from '../../gateway/refusal-advice.ts';

const limits = { connectBytesMax: 100, packetBytesMax: 1_000 };

t.test('other protocols - MQTT 5, WebSocket and TLS have an advice of their own', async (t) => {
  const cases: [string, RegExp][] = [
    [
      '100e00044d5154540502003c00000170',
      /^It speaks another version of MQTT, perhaps 5: set it to 3\.1\.1\.$/,
    ],
    [Buffer.from('GET /mqtt HTTP/1.1').toString('hex'), /WebSocket is not taken/],
    ['16030100c8010000c40303', /^It speaks TLS where MQTT is spoken without: .*listeners\.ward\.tls/],
    ['0b4d5348', /^It does not speak MQTT 3\.1\.1 here/],
  ];
  for (const [hex, advice] of cases) {
    const detail = new FixedHeaders(limits).feed(Buffer.from(hex, 'hex')) ?? '';
    t.match(refusalAdvice('ward', 'mqtt', { reason: 'protocol', detail, user: '' }), advice, detail);
  }
  const lab = refusalAdvice('lab', 'mllp', { reason: 'protocol', detail: 'tls', user: '' });
  t.match(lab, /^It speaks TLS where MLLP is spoken without/);
});
