import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process, told apart from a later one that got the same pid. */
export interface ProcessIdentity {
  pid: number;
  /** When it began, in the system's own notation. */
  startedAt: string;
}

/** What runs under this pid now; undefined if nothing does. A zombie is dead: only its parent has not noticed yet. */
export function identify(pid: number): ProcessIdentity | undefined {
  const found = process.platform === 'linux' ? fromProc(pid) : fromPs(pid);
  return found && !/^[ZX]/.test(found.state) ? { pid, startedAt: found.startedAt } : undefined;
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startedAt === identity.startedAt;
}

/** Sends a signal, unless the process is dead or another one has its pid. */
export function signalIfAlive(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch {
    return false;
  }
}

interface Found {
  state: string;
  startedAt: string;
}

function fromProc(pid: number): Found | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name, in brackets, may hold anything: the fields are counted behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] as string, startedAt: `${bootId()}/${fields[19]}` };
  } catch {
    return undefined;
  }
}

const bootId = (): string => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);

function fromPs(pid: number): Found | undefined {
  const { stdout, status } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const match = /^(\S+)\s+(.+)$/.exec(stdout?.trim() ?? '');
  return status === 0 && match ? { state: match[1] as string, startedAt: match[2] as string } : undefined;
}
