import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, RoleProcess } from '@hookline/embedded';

export type { RoleProcess };

/**
 * A role as it is built (`npm run build`), in a process of its own that dies with the test's; resolves when it is
 * ready. `logs()`, `kill()` and `stop()` are its own; `kill('SIGSTOP')` freezes it.
 * @param env its settings, besides its port; give KAFKA_BROKERS and what else it needs
 * @param port the one of an earlier start, to restart at the same address
 */
export async function startRole(role: string, env: NodeJS.ProcessEnv, port?: number): Promise<RoleProcess> {
  const [free] = await freePorts(1, port === undefined ? [] : [port]);
  const logFile = join(mkdtempSync(join(tmpdir(), 'hookline-role-')), `${role}.log`);
  const { PATH, HOME } = process.env;
  const started = await RoleProcess.start({ role, port: free as number, env: { PATH, HOME, ...env }, logFile });
  await started.untilReady();
  return started;
}
