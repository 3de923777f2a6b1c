/** A version of a config as it is offered to a gateway. */
import type { ConfigVersion } from '../../proto/gen/hilum/v1/admin.ts';
import type { ConfigOffer } from '../../proto/gen/hilum/v1/session.ts';

export function toOffer(version: ConfigVersion): ConfigOffer {
  return {
    version: version.version,
    hash: Buffer.from(version.hash, 'hex'),
    yaml: version.yaml,
    author: version.author,
    reason: version.reason,
    createdAtUs: version.atUs,
    signature: new Uint8Array(0),
  };
}
