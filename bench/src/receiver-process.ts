import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ReceiverReport } from './receiver.js';

/** The receiver, from outside. */
export class ReceiverProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(): Promise<ReceiverProcess> {
    const child = fork(fileURLToPath(new URL('./receiver.js', import.meta.url)));
    const [port] = (await once(child, 'message')) as [number];
    return new ReceiverProcess(child, `http://127.0.0.1:${port}/`);
  }

  /** Distinct events since the last report. */
  count(): Promise<number> {
    return this.ask<number>('count');
  }

  /** Everything since the last report. */
  report(): Promise<ReceiverReport> {
    return this.ask<ReceiverReport>('report');
  }

  stop(): void {
    this.child.kill('SIGKILL');
  }

  private async ask<T>(question: string): Promise<T> {
    const answer = once(this.child, 'message') as Promise<[T]>;
    this.child.send(question);
    return (await answer)[0];
  }
}
