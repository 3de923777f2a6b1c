/** An address that cannot be listened on is told with its reason, and tried again where that may pass. */
import * as grpc from '@grpc/grpc-js';
import t from 'tap';
import { listenFailed } from '../../gateway/process/listen-failed.ts';

const failed = (code: string) =>
  listenFailed('10.99.0.9:443', 'status.listen in the settings', Object.assign(new Error('no'), { code }));

t.test('listen - what passes by itself is tried again, what does not is a bad setting', async (t) => {
  t.match(failed('EADDRINUSE'), { exit: 75, hint: /ss -ltnp.* change status\.listen in the settings\.$/ });
  t.match(failed('EADDRNOTAVAIL'), { exit: 75, hint: /^No interface of this host has 10\.99\.0\.9 / });
  t.match(failed('EACCES'), { exit: 78, hint: /^Ports below 1024/ });
  t.same(failed('EINVAL'), { code: 'EINVAL', exit: 78, hint: 'Check status.listen in the settings.' });
});

t.test('listen - gRPC says the reason of the system in its text, and it is found there', async (t) => {
  // Of the range that is for documents [RFC 5737]: no host has it.
  const where = '192.0.2.1:7443';
  const server = new grpc.Server();
  const error = await new Promise<Error | null>((resolve) => {
    server.bindAsync(where, grpc.ServerCredentials.createInsecure(), resolve);
  });
  t.match(listenFailed(where, '"grpc"', error), { code: 'EADDRNOTAVAIL', exit: 75 });
  server.forceShutdown();
});
