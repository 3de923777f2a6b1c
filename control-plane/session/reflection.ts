/**
 * gRPC server reflection [grpc/reflection/v1 and v1alpha]: what grpcurl asks for. Reading the descriptors takes a third
 * of a start, so they are read when somebody asks first.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as grpc from '@grpc/grpc-js';

type Service = grpc.ServiceDefinition;
type Method = Service[string];
type Handler = grpc.handleBidiStreamingCall<unknown, unknown>;
interface Made {
  method: Method;
  handler: Handler;
}

const name = 'ServerReflectionInfo';
const paths = ['v1', 'v1alpha'].map((version) => `/grpc.reflection.${version}.ServerReflection/${name}`);

export function addReflection(server: grpc.Server): void {
  let made: ReadonlyMap<string, Made> | undefined;
  for (const path of paths) {
    const real = (): Made => {
      made ??= makeReflection();
      const found = made.get(path);
      if (found === undefined) throw new Error(`@grpc/reflection does not serve ${path}`);
      return found;
    };
    const method: Method = {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: (value: unknown) => real().method.requestSerialize(value),
      requestDeserialize: (bytes) => real().method.requestDeserialize(bytes),
      responseSerialize: (value: unknown) => real().method.responseSerialize(value),
      responseDeserialize: (bytes) => real().method.responseDeserialize(bytes),
    };
    const handler: Handler = (call) => real().handler(call);
    server.addService({ [name]: method }, { [name]: handler });
  }
}

/** What the library would add to a server, by path. */
function makeReflection(): ReadonlyMap<string, Made> {
  const require = createRequire(import.meta.url);
  const loader = require('@grpc/proto-loader') as typeof import('@grpc/proto-loader');
  const { ReflectionService } = require('@grpc/reflection') as typeof import('@grpc/reflection');
  const made = new Map<string, Made>();
  const collector: Pick<grpc.Server, 'addService'> = {
    addService(service, handlers) {
      const [method] = Object.values(service) as Method[];
      if (method !== undefined) made.set(method.path, { method, handler: handlers[name] as Handler });
    },
  };
  const descriptors = loader.loadFileDescriptorSetFromBuffer(readFileSync(descriptorSet()));
  new ReflectionService(descriptors).addToServer(collector);
  return made;
}

function descriptorSet(): URL {
  // From source beside the .proto files; from dist/ the tree is one level further up.
  const up = import.meta.url.includes('/dist/') ? '../../../' : '../../';
  return new URL(`${up}proto/gen/hilum.binpb`, import.meta.url);
}
