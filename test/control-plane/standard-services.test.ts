/** What grpcurl and probes ask for, from a server that loads it at the first question. */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import * as grpc from '@grpc/grpc-js';
import * as protoLoader from '@grpc/proto-loader';
import t, { type Test } from 'tap';
import { StandardServices } from '../../control-plane/session/standard-services.ts';

const find = createRequire(import.meta.url);

async function served(t: Test): Promise<{ services: StandardServices; address: string }> {
  const server = new grpc.Server();
  const services = new StandardServices(server);
  t.teardown(() => server.forceShutdown());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { services, address: `127.0.0.1:${port}` };
}

/** A client made of the library's own protocol file. */
function clientOf<Methods>(t: Test, address: string, file: string, service: string): Methods {
  const options = { oneofs: true, enums: String, keepCase: true };
  const definition = protoLoader.loadSync(file, options)[service] as grpc.ServiceDefinition;
  const Client = grpc.makeGenericClientConstructor(definition, service);
  const client = new Client(address, grpc.credentials.createInsecure());
  t.teardown(() => client.close());
  return client as unknown as Methods;
}

interface Answer {
  list_services_response?: { service: { name: string }[] };
  file_descriptor_response?: { file_descriptor_proto: Buffer[] };
  error_response?: { error_code: number };
}

for (const version of ['v1', 'v1alpha']) {
  t.test(`reflection - ${version} tells services and messages`, async (t) => {
    const { address } = await served(t);
    const library = dirname(find.resolve('@grpc/reflection/package.json'));
    const file = join(library, `build/proto/grpc/reflection/${version}/reflection.proto`);
    const client = clientOf<{ ServerReflectionInfo(): grpc.ClientDuplexStream<object, Answer> }>(
      t,
      address,
      file,
      `grpc.reflection.${version}.ServerReflection`,
    );
    const call = client.ServerReflectionInfo();
    const ask = async (question: object): Promise<Answer> => {
      call.write(question);
      const [answer] = (await once(call, 'data')) as [Answer];
      return answer;
    };

    const { list_services_response: listed } = await ask({ list_services: '' });
    const names = listed?.service.map(({ name }) => name) ?? [];
    const services = ['hilum.v1.Admin', 'hilum.v1.Enrollment', 'hilum.v1.Uplink', 'grpc.health.v1.Health'];
    for (const name of [...services, `grpc.reflection.${version}.ServerReflection`]) {
      t.ok(names.includes(name), name);
      const { file_descriptor_response: own } = await ask({ file_containing_symbol: name });
      t.ok(
        own?.file_descriptor_proto.some((bytes) =>
          fromBinary(FileDescriptorProtoSchema, bytes).service.some((one) => name.endsWith(`.${one.name}`)),
        ),
        `what it has: ${name}`,
      );
    }

    const { file_descriptor_response: files } = await ask({
      file_containing_symbol: 'hilum.v1.ClinicalEvent',
    });
    const event = (files?.file_descriptor_proto ?? [])
      .flatMap((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).messageType)
      .find(({ name }) => name === 'ClinicalEvent');
    t.ok(
      event?.field.some(({ name }) => name === 'observations'),
      'a message with its fields',
    );

    const { error_response: refused } = await ask({ file_containing_symbol: 'hilum.v1.Nothing' });
    t.equal(refused?.error_code, grpc.status.NOT_FOUND, 'a symbol that is not there');
    const ended = once(call, 'end');
    call.end();
    await ended;
  });
}

interface Health {
  check(request: { service: string }, done: (error: grpc.ServiceError | null, reply?: Status) => void): void;
  watch(request: { service: string }): grpc.ClientReadableStream<Status>;
}
interface Status {
  status: string;
}

const healthFile = join(
  dirname(find.resolve('grpc-health-check/package.json')),
  'proto/health/v1/health.proto',
);

function check(client: Health, service: string): Promise<string | number> {
  return new Promise((resolve) => {
    client.check({ service }, (error, reply) => resolve(error === null ? (reply?.status ?? '') : error.code));
  });
}

t.test(
  'health - a probe hears of the server and of each service, and of none that is not there',
  async (t) => {
    const { services, address } = await served(t);
    const client = clientOf<Health>(t, address, healthFile, 'grpc.health.v1.Health');
    t.equal(await check(client, ''), 'SERVING');
    t.equal(await check(client, 'hilum.v1.Uplink'), 'SERVING');
    t.equal(await check(client, 'hilum.v1.Nothing'), grpc.status.NOT_FOUND);
    const watched = client.watch({ service: '' });
    watched.on('error', () => {});
    t.same(await once(watched, 'data'), [{ status: 'SERVING' }]);
    const next = once(watched, 'data');
    services.notServing();
    t.same(await next, [{ status: 'NOT_SERVING' }], 'who watches is told of the end');
    watched.cancel();
  },
);

t.test('health - a server that is about to end says so to who asks then first', async (t) => {
  const { services, address } = await served(t);
  const client = clientOf<Health>(t, address, healthFile, 'grpc.health.v1.Health');
  services.notServing();
  t.equal(await check(client, ''), 'NOT_SERVING');
});
