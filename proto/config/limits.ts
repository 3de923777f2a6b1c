/** Every bound on what a person may write, and on what a predicate may cost. */
export const documentLimits = {
  /** Code tables are the large part of a config; the largest seen have some 20,000 rows, and a row some 50 characters. */
  charactersMax: 2 * 1024 * 1024,
  nestingMax: 64,
  aliasesMax: 100,
  /** Told at once; each costs a walk to its place in the text. */
  problemsMax: 100,
} as const;

export const celLimits = {
  sourceCharactersMax: 8_000,
  nodesMax: 500,
  depthMax: 24,
  listElementsMax: 256,
  comprehensionsNestedMax: 2,
  /** List entries that one evaluation may read … */
  entriesMax: 100_000,
  /** … times the nodes that may be evaluated for each. */
  stepsMax: 4_000_000,
} as const;
