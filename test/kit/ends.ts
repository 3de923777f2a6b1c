/**
 * Ends a test process once it has nothing left to do. Node's own clean-up after that can spin for ever on a
 * request that never calls back (seen in `Environment::CleanupHandles`, Node 20.20, in the fault rows): the tests
 * had passed, and the file was ended by its time limit minutes later. Loaded with --import (suite.ts).
 */
let idle = 0;

process.on('beforeExit', () => {
  idle += 1;
  // The first time others may still have found something to do; the second time nobody had.
  if (idle === 1) setImmediate(() => {});
  else process.exit();
});
