/**
 * A control plane with a true certificate and false words: it acks sequences that were never sent and
 * epochs that are not the gateway's, and never what it got. The CA is read from the real one's folder.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as grpc from '@grpc/grpc-js';
import { openAuthority } from '../../control-plane/identity/ca.ts';
import { type GatewayFrame, type UplinkServer, UplinkService } from '../../proto/gen/hilum/v1/session.ts';
import { controlPlaneName } from '../../proto/limits.ts';

export class FalsePlane {
  batches = 0;
  acks = 0;
  port = 0;
  readonly #server = new grpc.Server();

  static async start(folder: string): Promise<FalsePlane> {
    const plane = new FalsePlane();
    const directory = join(folder, 'control-plane');
    const authority = await openAuthority(directory);
    const issued = await authority.issue('control-plane', controlPlaneName, [controlPlaneName]);
    plane.#server.addService(UplinkService, plane.#service());
    const credentials = grpc.ServerCredentials.createSsl(
      readFileSync(join(directory, 'ca', 'ca.pem')),
      [{ cert_chain: Buffer.from(issued.certificatePem), private_key: Buffer.from(issued.keyPem) }],
      false,
    );
    plane.port = await new Promise((resolve, reject) => {
      plane.#server.bindAsync('127.0.0.1:0', credentials, (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    return plane;
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  #service(): UplinkServer {
    return {
      renew: (_call, callback) => callback({ code: grpc.status.UNIMPLEMENTED }),
      session: (call) => {
        call.on('error', () => undefined);
        call.on('data', ({ frame }: GatewayFrame) => {
          if (frame?.$case === 'hello') {
            const credit = ['stat', 'urgent', 'routine', 'bulk'].map((lane) => ({
              lane,
              events: 50,
              bytes: 1_000_000,
            }));
            call.write({
              frame: {
                $case: 'welcome',
                value: {
                  // What the gateway still holds, and no more.
                  acked: frame.value.lanes.map(({ lane, first }) => ({
                    epoch: frame.value.epoch,
                    lane,
                    sequence: first - 1n,
                    atUs: 0n,
                    recordSha256: new Uint8Array(0),
                    event: undefined,
                  })),
                  credit,
                  takesPartialReports: false,
                },
              },
            });
          }
          if (frame?.$case === 'batch') {
            this.batches += 1;
            const { epoch, lane, firstSequence, envelopes } = frame.value;
            const sent = firstSequence + BigInt(envelopes.length);
            for (const ack of [
              {
                epoch,
                lane,
                sequence: sent + 1_000_000n,
                atUs: 0n,
                recordSha256: new Uint8Array(0),
                event: undefined,
              },
              {
                epoch: epoch ^ 1n,
                lane,
                sequence: sent - 1n,
                atUs: 0n,
                recordSha256: new Uint8Array(0),
                event: undefined,
              },
              {
                epoch,
                lane: 'nonsense',
                sequence: 1n,
                atUs: 0n,
                recordSha256: new Uint8Array(0),
                event: undefined,
              },
            ]) {
              this.acks += 1;
              call.write({ frame: { $case: 'ack', value: ack } });
            }
          }
        });
      },
    };
  }
}
