/** Config files as the verbs read them: text, or the checked config with its problems told. */
import { exitCode, HilumError } from '../../gateway/process/errors.ts';
import { counted, type Form } from '../../gateway/process/output.ts';
import { checkConfig } from '../../proto/config/check.ts';
import { formatProblems } from '../../proto/config/document.ts';
import type { Config } from '../../proto/config/schema.ts';
import type { ConfigProblem } from '../../proto/gen/hilum/v1/session.ts';

/** The checked config of a text; a bad one is an error with exit 78. An empty text is the built-in meaning. */
export function parseConfig(text: string, fileName: string): Config {
  const checked = checkConfig(text.trim() === '' ? '{}' : text, { fileName });
  if (checked.problems !== undefined) throw bad(checked.problems, fileName, 'table');
  return checked.config;
}

export function bad(problems: readonly ConfigProblem[], file: string, form: Form): HilumError {
  const text =
    form === 'table' ? formatProblems(problems, file) : `${file}: ${counted(problems.length, 'problem')}`;
  return new HilumError('config-bad', text, { exit: exitCode.badConfig });
}
