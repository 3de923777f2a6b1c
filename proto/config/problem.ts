/** What is wrong with a document that a person wrote, and how it is shown. */

export interface Problem {
  /** `sources.lab.listner`; empty where the document as a whole is meant. */
  path: string;
  /** From 1. */
  line: number;
  column: number;
  message: string;
  /** What to write instead; may be empty. */
  hint: string;
}

/** For a terminal: `settings.yaml:12:5  listeners.mllp.lisen: unknown key; did you mean "listen"?` */
export function formatProblems(problems: readonly Problem[], fileName: string): string {
  return problems
    .map(({ path, line, column, message, hint }) => {
      const what = path === '' ? message : `${path}: ${message}`;
      return `${fileName}:${line}:${column}  ${what}${hint === '' ? '' : `; ${hint}`}`;
    })
    .join('\n');
}
