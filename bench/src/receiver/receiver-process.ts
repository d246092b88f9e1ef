import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Question, ReceiverReport } from './receiver.js';

const LOOK_MS = 50;
const QUIET_MS = 1_000;

/** The receiver, from outside. */
export class ReceiverProcess implements Disposable {
  /** Those who have asked, in their order; answers come in the same one. */
  private readonly asking: ((answer: unknown) => void)[] = [];

  private constructor(
    private readonly child: ChildProcess,
    /** Ends in a slash. */
    readonly url: string,
  ) {
    child.on('message', (answer) => this.asking.shift()?.(answer));
  }

  static async start(): Promise<ReceiverProcess> {
    const child = fork(fileURLToPath(new URL('./receiver.js', import.meta.url)));
    const [port] = (await once(child, 'message')) as [number];
    return new ReceiverProcess(child, `http://127.0.0.1:${port}/`);
  }

  /** Distinct events since the last report. */
  count(): Promise<number> {
    return this.ask('count') as Promise<number>;
  }

  /** CPU time that it has used, seconds. */
  cpuSeconds(): Promise<number> {
    return this.ask('cpu') as Promise<number>;
  }

  /** Everything since the last report. */
  report(): Promise<ReceiverReport> {
    return this.ask('report') as Promise<ReceiverReport>;
  }

  /**
   * Until so many distinct events have come, or nothing new has for `patienceMs`: then who compares will see it.
   * @param onLook called at each look; what it returns is waited for
   */
  async untilCame(events: number, patienceMs: number, onLook?: () => Promise<void> | void): Promise<void> {
    let best = -1;
    let end = Infinity;
    for (let count = await this.count(); count < events && Date.now() < end; count = await this.count()) {
      if (count > best) end = Date.now() + patienceMs;
      best = Math.max(best, count);
      await onLook?.();
      await pause(LOOK_MS);
    }
  }

  /** Until nothing has come for a while. */
  async untilQuiet(): Promise<void> {
    let before = -1;
    for (let now = await this.count(); now !== before; now = await this.count()) {
      before = now;
      await pause(QUIET_MS);
    }
  }

  [Symbol.dispose](): void {
    this.child.kill('SIGKILL');
  }

  private ask(question: Question): Promise<unknown> {
    return new Promise((resolve) => {
      this.asking.push(resolve);
      this.child.send(question);
    });
  }
}
