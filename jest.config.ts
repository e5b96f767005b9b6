/** Node strips the types itself, so Jest transforms nothing. `transform: {}` must stay: without the key Jest picks Babel. */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {},
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  // What is built has the same packages again.
  modulePathIgnorePatterns: ['<rootDir>/dist/'],
  // Far more than any needs: machines of continuous integration stand still for seconds. A test sets a longer one only for its work.
  testTimeout: 120_000,
  // Jest's own choice on two cores is one worker: half of the machine, and one process that keeps the modules of all files.
  maxWorkers: '100%',
}
