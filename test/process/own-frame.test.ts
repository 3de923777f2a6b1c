/** Where something of ours threw, as it goes into logs: from the stack, and never from a message, which may quote input. */
import t from 'tap';
import { faultOf, ownFrameOf } from '../../proto/own-frame.ts';

const frames = `
    at read (file:///opt/hilum/dist/gateway/normalize/time.js:12:7)
    at node:internal/main:1:1`;

function thrown(message: string, stack: string): Error {
  const error = new SyntaxError(message);
  error.stack = stack;
  return error;
}

t.test('own frame - file and line of our code', async (t) => {
  t.equal(ownFrameOf(thrown('no', `SyntaxError: no${frames}`)), 'gateway/normalize/time.js:12');
  t.equal(faultOf(thrown('no', `SyntaxError: no${frames}`)), 'SyntaxError at gateway/normalize/time.js:12');
  t.equal(ownFrameOf('no error'), '');
});

t.test('own frame - a message that looks like a frame is none', async (t) => {
  for (const message of [
    'Unexpected token in /gateway/DOE^JANE:1:1',
    '\n    at (file:///x/proto/DOE^JANE:1:1)',
    `/gateway/DOE^JANE:1:1${'x'.repeat(100_000)}`,
  ]) {
    t.equal(ownFrameOf(thrown(message, `SyntaxError: ${message}${frames}`)), 'gateway/normalize/time.js:12');
    t.equal(ownFrameOf(thrown(message, `SyntaxError: ${message}`)), '');
  }
});
