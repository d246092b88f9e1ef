import type { EndpointLog } from './endpoint-log.js';
import type { ReceiversProcess } from './receivers-process.js';

/** The logs of the endpoints that a run minds, kept up to date from their process. */
export class Logs {
  private readonly byPath = new Map<string, EndpointLog>();
  private readonly pathOf = new Map<number, string>();
  private fetching: Promise<void> | undefined;

  constructor(private readonly receivers: ReceiversProcess) {}

  add(path: string, log: EndpointLog): void {
    this.byPath.set(path, log);
  }

  /** Attempts in flight, over all of them. */
  get open(): number {
    return [...this.byPath.values()].reduce((sum, { open }) => sum + open, 0);
  }

  get requests(): number {
    return [...this.byPath.values()].reduce((sum, { requests }) => sum + requests, 0);
  }

  /** Takes in what has happened by now. */
  update(): Promise<void> {
    this.fetching ??= this.fetch().finally(() => (this.fetching = undefined));
    return this.fetching;
  }

  private async fetch(): Promise<void> {
    for (const entry of await this.receivers.entries()) {
      const number = entry[1];
      if (entry[0] === 'request') this.pathOf.set(number, entry[2]);
      const path = this.pathOf.get(number);
      if (entry[0] === 'answer') this.pathOf.delete(number);
      // What belongs to an earlier run is nobody's business any more.
      if (path !== undefined) this.byPath.get(path)?.take(entry);
    }
  }
}
