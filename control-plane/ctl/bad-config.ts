/** How the verbs tell that a config is bad. */
import { exitCode, HilumError } from '../../gateway/process/errors.ts';
import { counted, type Form } from '../../gateway/process/output.ts';
import { formatProblems } from '../../proto/config/problem.ts';
import type { ConfigProblem } from '../../proto/gen/hilum/v1/session.ts';

export function bad(problems: readonly ConfigProblem[], file: string, form: Form): HilumError {
  const text =
    form === 'table' ? formatProblems(problems, file) : `${file}: ${counted(problems.length, 'problem')}`;
  return new HilumError('config-bad', text, { exit: exitCode.badConfig });
}
