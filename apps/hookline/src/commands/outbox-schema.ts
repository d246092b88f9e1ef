import { loadConfig, publishSection } from '@hookline/config';
import { outboxSchema } from '@hookline/outbox';

/** Prints the SQL that makes the outbox in a producer's database, with the limits of HOOKLINE_MAX_*. @throws ConfigError */
export async function printOutboxSchema(env: NodeJS.ProcessEnv): Promise<number> {
  const { publish } = loadConfig({ publish: publishSection }, env);
  const sql = outboxSchema(publish);
  await new Promise<void>((resolve) => process.stdout.write(sql, () => resolve()));
  return 0;
}
