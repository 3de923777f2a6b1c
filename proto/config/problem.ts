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
      // What is said of the whole document has no line.
      const where = line === 0 ? fileName : `${fileName}:${line}:${column}`;
      return `${where}  ${what({ path, message })}${hint === '' ? '' : `; ${hint}`}`;
    })
    .join('\n');
}

/** In one line, without their places. */
export function problemsText(problems: readonly { path?: string; message?: string }[]): string {
  return problems.map(what).join('; ');
}

/** proto3 JSON leaves an empty path out. */
function what({ path = '', message = '' }: { path?: string; message?: string }): string {
  return path === '' ? message : `${path}: ${message}`;
}
