/** Case n of a seed, made from nothing else: a failing one is made again from its two numbers. */
import { below, mix32, seededRandom } from '../kit/random.ts';
import { type Input, inputs, type Reading, readings } from './inputs.ts';
import { byteMutations, hl7v2Mutations, type Mutation } from './mutate-hl7v2.ts';
import { jsonMutations } from './mutate-json.ts';
import { pick } from './spice.ts';

export interface Case {
  readonly seed: number;
  readonly number: number;
  readonly bytes: Buffer;
  readonly reading: Reading;
  /** The input and what was done to it. */
  readonly from: string;
}

/** Beyond it a listener takes no frame of a case's kind anyway. */
const bytesMax = 4 * 1024 * 1024;

export function caseMaker(seed: number, from: readonly Input[] = inputs()): (number: number) => Case {
  const as = readings();
  const mutations = {
    hl7v2: Object.entries({ ...hl7v2Mutations, ...byteMutations }),
    json: Object.entries({ ...jsonMutations, ...byteMutations }),
  };
  return (number) => {
    const random = seededRandom(mix32(seed, number));
    if (random() < 0.03) {
      const noise = Buffer.from(Array.from({ length: below(random, 400) }, () => below(random, 256)));
      const reading = pick(random, [...as.hl7v2, ...as.json]);
      return { seed, number, bytes: noise, reading, from: 'random bytes' };
    }
    const input = pick(random, from);
    const others = from.filter(({ form }) => form === input.form);
    let text = input.bytes.toString('latin1');
    const done: string[] = [];
    for (let times = 1 + below(random, 6); times > 0; times -= 1) {
      const [name, mutate] = pick<[string, Mutation]>(random, mutations[input.form]);
      text = mutate(random, text, pick(random, others).bytes.toString('latin1')).slice(0, bytesMax);
      done.push(name);
    }
    const reading = pick(random, as[input.form]);
    return {
      seed,
      number,
      bytes: Buffer.from(text, 'latin1'),
      reading,
      from: `${input.name}: ${done.join(', ')}`,
    };
  };
}
