/** Waits for a time or for a call, whichever is first; a call that came while nobody waited counts. */
export class WakeUp {
  private called = false;
  private resolve: (() => void) | undefined;

  readonly call = (): void => {
    this.called = true;
    this.resolve?.();
  };

  /** Also ends when the signal is aborted. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.called && !signal.aborted)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        signal.addEventListener('abort', this.call, { once: true });
        this.resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    signal.removeEventListener('abort', this.call);
    this.resolve = undefined;
    this.called = false;
  }
}
