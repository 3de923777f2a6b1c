/** The process of several test files (suite.ts): their tests run one after the other, as those of one file do. */
for (const file of process.env.HILUM_TEST_FILES?.split(' ') ?? []) await import(`./${file}`);
