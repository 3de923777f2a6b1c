/** The process of ctl-runner.ts. */
import { hilumctl } from '../../control-plane/ctl/program.ts';
import { runProgram } from '../../gateway/process/cli.ts';
import type { Answer, Call } from './ctl-runner.ts';

const leave = process.exit.bind(process);
let out: Buffer[] = [];
let err: Buffer[] = [];
let answered = false;

process.stdout.write = collect(() => out);
process.stderr.write = collect(() => err);
process.exit = (code?: number | string | null): never => {
  const ending = Number(code ?? 0);
  answer(ending, true, () => leave(ending));
  // Nothing after an exit may run.
  throw new Error('the program has ended');
};
process.on('unhandledRejection', () => {
  if (answered) leave(1);
  else answer(1, true, () => leave(1));
});
process.on('disconnect', () => leave(0));

process.on('message', ({ args }: Call) => {
  out = [];
  err = [];
  answered = false;
  process.exitCode = undefined;
  process.argv = [process.execPath, 'hilumctl', ...args];
  process.stdout.removeAllListeners('error');
  void runProgram(hilumctl()).then(() => answer(Number(process.exitCode ?? 0), false));
});

function answer(code: number, ends: boolean, then = () => {}): void {
  if (answered) return;
  answered = true;
  const said: Answer = { code, ends, stdout: base64(out), stderr: base64(err) };
  process.send?.(said, then);
}

function base64(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('base64');
}

/** As a stream's `write`, with its callback. */
function collect(into: () => Buffer[]): typeof process.stdout.write {
  return (chunk: Uint8Array | string, ...rest: unknown[]) => {
    into().push(Buffer.from(chunk as string));
    const done = rest.at(-1);
    if (typeof done === 'function') queueMicrotask(() => (done as () => void)());
    return true;
  };
}
