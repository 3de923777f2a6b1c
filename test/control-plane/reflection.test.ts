/** What grpcurl asks for, in both versions of the protocol, from a server that reads its descriptors at the first question. */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import * as grpc from '@grpc/grpc-js';
import * as protoLoader from '@grpc/proto-loader';
import t from 'tap';
import { addReflection } from '../../control-plane/session/reflection.ts';

interface Answer {
  listServicesResponse?: { service: { name: string }[] };
  fileDescriptorResponse?: { fileDescriptorProto: Buffer[] };
  errorResponse?: { errorCode: number };
}

const server = new grpc.Server();
addReflection(server);
const port = await new Promise<number>((resolve, reject) => {
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
    error === null ? resolve(bound) : reject(error),
  );
});
t.teardown(() => server.forceShutdown());

/** The definitions that the library's own protocol files give to a client. */
const library = dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json'));

for (const version of ['v1', 'v1alpha']) {
  t.test(`reflection - ${version} tells services and files`, async (t) => {
    const file = join(library, `build/proto/grpc/reflection/${version}/reflection.proto`);
    const definition = protoLoader.loadSync(file, { oneofs: true })[
      `grpc.reflection.${version}.ServerReflection`
    ] as grpc.ServiceDefinition;
    const Client = grpc.makeGenericClientConstructor(definition, 'ServerReflection');
    const client = new Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    t.teardown(() => client.close());
    const call = (
      client as unknown as { ServerReflectionInfo(): grpc.ClientDuplexStream<object, Answer> }
    ).ServerReflectionInfo();
    const ask = async (question: object): Promise<Answer> => {
      call.write(question);
      const [answer] = (await once(call, 'data')) as [Answer];
      return answer;
    };

    const { listServicesResponse } = await ask({ listServices: '' });
    const names = listServicesResponse?.service.map(({ name }) => name) ?? [];
    for (const name of ['hilum.v1.Admin', 'hilum.v1.Enrollment', 'hilum.v1.Uplink'])
      t.ok(names.includes(name), name);

    const { fileDescriptorResponse } = await ask({ fileContainingSymbol: 'hilum.v1.ClinicalEvent' });
    const event = (fileDescriptorResponse?.fileDescriptorProto ?? [])
      .flatMap((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).messageType)
      .find(({ name }) => name === 'ClinicalEvent');
    t.ok(
      event?.field.some(({ name }) => name === 'observations'),
      'a message with its fields',
    );

    const { errorResponse } = await ask({ fileContainingSymbol: 'hilum.v1.Nothing' });
    t.equal(errorResponse?.errorCode, grpc.status.NOT_FOUND, 'a symbol that is not there');
    call.end();
  });
}
