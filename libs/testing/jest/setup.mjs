/**
 * What integration tests need from outside, started once for a run: one broker and PostgreSQL. What is running
 * already is taken as it is: `KAFKA_BROKERS`, `DATABASE_URL`.
 * Jest does not map aliases here, so this uses the built code, which `npm test` has made.
 */
const BUILT = '../../../dist/libs/testing/src/environment';
const started = [];

export default async function setup() {
  const starts = [];
  if (!process.env.DATABASE_URL)
    starts.push(import(`${BUILT}/test-postgres.js`).then(({ startTestPostgres }) => startTestPostgres()));
  if (!process.env.KAFKA_BROKERS)
    starts.push(import(`${BUILT}/test-kafka.js`).then(({ startTestKafka }) => startTestKafka()));
  const results = await Promise.allSettled(starts);
  for (const result of results) if (result.status === 'fulfilled') started.push(result.value);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason;
  }
}

export async function stop() {
  await Promise.all(started.splice(0).map((running) => running.stop()));
}
