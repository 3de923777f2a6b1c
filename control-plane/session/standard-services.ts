/**
 * Health checking [grpc.health.v1] and server reflection [grpc.reflection.v1 and v1alpha], which probes and grpcurl
 * ask for. Their libraries read .proto files and descriptors, which takes a third of a start: they are loaded when
 * somebody asks first.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type * as grpc from '@grpc/grpc-js';
import type { HealthImplementation } from 'grpc-health-check';

type Method = grpc.ServiceDefinition[string];
type Handler = grpc.UntypedHandleCall;
/** What a library would add to a server, by path. */
type Made = ReadonlyMap<string, { method: Method; handler: Handler }>;
type Shape = readonly [path: string, requestStream: boolean, responseStream: boolean];

const require = createRequire(import.meta.url);

const healthShapes: readonly Shape[] = [
  ['/grpc.health.v1.Health/Check', false, false],
  ['/grpc.health.v1.Health/List', false, false],
  ['/grpc.health.v1.Health/Watch', false, true],
];
const reflectionShapes: readonly Shape[] = ['v1', 'v1alpha'].map((version) => [
  `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
  true,
  true,
]);

export class StandardServices {
  #health: HealthImplementation | undefined;
  #status: 'SERVING' | 'NOT_SERVING' = 'SERVING';

  constructor(server: grpc.Server) {
    add(server, healthShapes, () => made((collector) => this.#makeHealth().addToServer(collector)));
    add(server, reflectionShapes, () => made((collector) => makeReflection().addToServer(collector)));
  }

  /** The server as a whole is about to end. */
  notServing(): void {
    this.#status = 'NOT_SERVING';
    this.#health?.setStatus('', this.#status);
  }

  #makeHealth(): HealthImplementation {
    const library = require('grpc-health-check') as typeof import('grpc-health-check');
    this.#health = new library.HealthImplementation({
      '': this.#status,
      'hilum.v1.Uplink': 'SERVING',
      'hilum.v1.Admin': 'SERVING',
    });
    return this.#health;
  }
}

function makeReflection(): { addToServer(server: Pick<grpc.Server, 'addService'>): void } {
  const loader = require('@grpc/proto-loader') as typeof import('@grpc/proto-loader');
  const { ReflectionService } = require('@grpc/reflection') as typeof import('@grpc/reflection');
  const health = require('grpc-health-check') as typeof import('grpc-health-check');
  const reflection = dirname(require.resolve('@grpc/reflection/package.json'));
  // grpcurl calls nothing that reflection does not tell of, so it tells of health and of itself as well.
  return new ReflectionService({
    ...loader.loadFileDescriptorSetFromBuffer(readFileSync(descriptorSet())),
    ...loader.loadSync(health.protoPath),
    ...loader.loadSync(join(reflection, 'build/proto/grpc/reflection/v1/reflection.proto')),
    ...loader.loadSync(join(reflection, 'build/proto/grpc/reflection/v1alpha/reflection.proto')),
  });
}

/** Methods that are there from the start, and become what the library makes of them at the first call. */
function add(server: grpc.Server, shapes: readonly Shape[], make: () => Made): void {
  let known: Made | undefined;
  for (const [path, requestStream, responseStream] of shapes) {
    const real = () => {
      known ??= make();
      const found = known.get(path);
      if (found === undefined) throw new Error(`the library does not serve ${path}`);
      return found;
    };
    const method: Method = {
      path,
      requestStream,
      responseStream,
      requestSerialize: (value: unknown) => real().method.requestSerialize(value),
      requestDeserialize: (bytes) => real().method.requestDeserialize(bytes),
      responseSerialize: (value: unknown) => real().method.responseSerialize(value),
      responseDeserialize: (bytes) => real().method.responseDeserialize(bytes),
    };
    // Handlers differ in what they are called with: a callback, or a stream alone.
    const handler = (...given: unknown[]) => (real().handler as (...given: unknown[]) => unknown)(...given);
    server.addService({ [path]: method }, { [path]: handler as Handler });
  }
}

function made(addTo: (collector: grpc.Server) => void): Made {
  const found = new Map<string, { method: Method; handler: Handler }>();
  const collector: Pick<grpc.Server, 'addService'> = {
    addService(service, handlers) {
      for (const [name, method] of Object.entries(service)) {
        const handler = handlers[name] ?? handlers[method.originalName ?? ''];
        if (handler !== undefined) found.set(method.path, { method, handler });
      }
    },
  };
  // Of a server, the libraries call nothing else.
  addTo(collector as grpc.Server);
  return found;
}

function descriptorSet(): URL {
  // From source beside the .proto files; from dist/ the tree is one level further up.
  const up = import.meta.url.includes('/dist/') ? '../../../' : '../../';
  return new URL(`${up}proto/gen/hilum.binpb`, import.meta.url);
}
