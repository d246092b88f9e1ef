/**
 * What tests need from outside, started once for a run: brokers for each project that has tests in it, and one
 * PostgreSQL. What is running already is taken as it is: `KAFKA_BROKERS`, `DATABASE_URL`.
 * Jest does not map aliases here, so this uses the built code, which `npm test` has made.
 */
const BUILT = '../../../dist/libs/testing/src/environment';
const started = [];
let database;

export async function startTestEnvironment(cluster, brokers) {
  const wantsKafka = !process.env.KAFKA_BROKERS;
  const wantsDatabase = !process.env.DATABASE_URL;
  if (!wantsKafka && !wantsDatabase) return;
  const { startTestKafka } = await import(`${BUILT}/test-kafka.js`);
  const { startTestPostgres } = await import(`${BUILT}/test-postgres.js`);
  if (wantsDatabase) database ??= startTestPostgres().then((running) => void started.push(running));
  if (wantsKafka) started.push(await startTestKafka(cluster, brokers));
  await database;
}

export async function stopTestEnvironment() {
  await Promise.all(started.splice(0).map((running) => running.stop()));
}
