import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command, Entry } from './entries.js';

/** The endpoints, from outside. */
export class ReceiversProcess implements Disposable {
  /** Those who have asked, in their order; answers come in the same one. */
  private readonly asking: ((answer: Entry[]) => void)[] = [];

  private constructor(
    private readonly child: ChildProcess,
    /** Ends in a slash; each path behind it is an endpoint. */
    readonly url: string,
  ) {
    child.on('message', (answer) => this.asking.shift()?.(answer as Entry[]));
  }

  static async start(): Promise<ReceiversProcess> {
    const child = fork(fileURLToPath(new URL('receivers.js', import.meta.url)));
    const [port] = (await once(child, 'message')) as [number];
    return new ReceiversProcess(child, `http://127.0.0.1:${port}/`);
  }

  /** What has happened since it was last asked. */
  entries(): Promise<Entry[]> {
    return this.ask({ ask: 'entries' });
  }

  /** How the endpoint at `path`, which begins with a slash, answers from now on. */
  async behave(path: string, status: number, delayMs: number): Promise<void> {
    await this.ask({ ask: 'behave', path, status, delayMs });
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }

  private ask(command: Command): Promise<Entry[]> {
    return new Promise((resolve) => {
      this.asking.push(resolve);
      this.child.send(command);
    });
  }
}
