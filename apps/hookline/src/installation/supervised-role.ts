import { ProcessRegister, RoleProcess, type RoleProbe, type RoleProcessOptions } from '@hookline/embedded';
import { Backoff } from './backoff.js';

/** A role that is started again when it ends and was not asked to. */
export class SupervisedRole {
  private current: RoleProcess | undefined;
  private wanted = false;
  private readonly backoff = new Backoff();

  constructor(
    private readonly options: RoleProcessOptions,
    private readonly register: ProcessRegister,
    private readonly say: (line: string) => void,
    /** What says that it is up. */
    private readonly probe: RoleProbe = 'readyz',
  ) {}

  get name(): string {
    return this.options.role;
  }

  get url(): string {
    return `http://127.0.0.1:${this.options.port}`;
  }

  /** The process at this moment; undefined while there is none. */
  get process(): RoleProcess | undefined {
    return this.current;
  }

  /** Starts it and waits until it is up. @throws StartError */
  async start(): Promise<void> {
    this.wanted = true;
    const started = await this.launch();
    await started.untilReady(undefined, this.probe);
    this.superviseFrom(started);
  }

  /** As a crash, after which it is not started again. */
  async kill(): Promise<void> {
    this.wanted = false;
    await this.current?.kill();
  }

  /** Lets it drain. */
  async stop(): Promise<void> {
    this.wanted = false;
    this.backoff.cancel();
    await this.current?.stop();
  }

  private async launch(): Promise<RoleProcess> {
    this.current = await RoleProcess.start(this.options, this.register);
    return this.current;
  }

  private superviseFrom(started: RoleProcess): void {
    void started.exited.then(async ({ code, signal }) => {
      if (!this.wanted) return;
      const delayMs = this.backoff.next();
      this.say(`${this.name} ended (${signal ?? `code ${code}`}); it is started again in ${delayMs / 1_000} s`);
      if (!(await this.backoff.wait(delayMs)) || !this.wanted) return;
      const next = await this.launch();
      this.superviseFrom(next);
      await next.untilReady(undefined, this.probe).then(
        () => this.say(`${this.name} is ready again`),
        () => undefined, // it ended: the next round says so
      );
    });
  }
}
