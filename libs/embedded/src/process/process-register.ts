import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isAlive, signalIfAlive, type ProcessIdentity } from './process-identity.js';

interface Entry extends ProcessIdentity {
  name: string;
}

/**
 * What was started for a data folder, in a file of that folder: if its parent was killed and something outlived it,
 * the next start finds it by pid and start time and ends it.
 */
export class ProcessRegister {
  private entries: Entry[] = [];

  private constructor(private readonly file: string) {}

  /** Ends whatever an earlier run has left behind, and begins with an empty list. @returns the names of the ended */
  static async open(file: string): Promise<{ register: ProcessRegister; ended: string[] }> {
    const register = new ProcessRegister(file);
    const left = read(file).filter(isAlive);
    for (const entry of left) signalIfAlive(entry, 'SIGKILL');
    while (left.some(isAlive)) await pause(20);
    register.write();
    return { register, ended: left.map(({ name }) => name) };
  }

  add(name: string, identity: ProcessIdentity): void {
    this.entries.push({ name, ...identity });
    this.write();
  }

  remove(pid: number): void {
    this.entries = this.entries.filter((entry) => entry.pid !== pid);
    try {
      this.write();
    } catch {
      // On a full disk it stays listed: the next start sees that it is dead.
    }
  }

  private write(): void {
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(`${this.file}.new`, JSON.stringify(this.entries, undefined, 1));
    renameSync(`${this.file}.new`, this.file);
  }
}

function read(file: string): Entry[] {
  if (!existsSync(file)) return [];
  try {
    const entries = JSON.parse(readFileSync(file, 'utf8')) as Entry[];
    return entries.filter(({ pid, startedAt }) => Number.isInteger(pid) && typeof startedAt === 'string');
  } catch {
    return []; // damaged: nothing to go by
  }
}
