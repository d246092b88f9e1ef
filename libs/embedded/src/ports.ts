import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';

/**
 * Below the range from which systems take ports for outgoing connections: what is free now stays free while a broker
 * is down, so that it finds its port again.
 */
const FIRST = 20_000;
const LAST = 32_000;

export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** Ports of loopback that nobody listens on: those preferred where they are free, others in their place. */
export async function freePorts(count: number, preferred: readonly number[] = []): Promise<number[]> {
  const found: number[] = [];
  for (let i = 0; i < count; i++) {
    const wish = preferred[i];
    let port = wish ?? randomPort();
    while (found.includes(port) || !(await isPortFree(port))) port = randomPort();
    found.push(port);
  }
  return found;
}

const randomPort = (): number => FIRST + Math.floor(Math.random() * (LAST - FIRST));

/** Who listens on a port, e.g. `node (pid 4711)`; undefined where that can't be known. Linux only. */
export function portHolder(port: number): string | undefined {
  try {
    const inodes = new Set([...listenersIn('/proc/net/tcp', port), ...listenersIn('/proc/net/tcp6', port)]);
    if (inodes.size === 0) return undefined;
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
      if (holdsOneOf(pid, inodes)) return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (pid ${pid})`;
  } catch {
    // no /proc, or not ours to read
  }
  return undefined;
}

function* listenersIn(file: string, port: number): Generator<string> {
  const LISTEN = '0A';
  for (const line of readFileSync(file, 'utf8').split('\n').slice(1)) {
    const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (state === LISTEN && inode && parseInt(local?.split(':')[1] ?? '', 16) === port) yield `socket:[${inode}]`;
  }
}

function holdsOneOf(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.has(linkOf(`/proc/${pid}/fd/${fd}`)));
  } catch {
    return false;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
