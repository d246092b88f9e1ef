import type { Exit } from '../process/guarded-process.js';

/** A broker that runs. */
export interface RunningBroker {
  readonly exited: Promise<Exit>;
  /** Sends a signal: TERM ends it in order, KILL at once, STOP and CONT freeze it and let it go on. */
  signal(signal: NodeJS.Signals): Promise<void>;
}

/** Something that can run brokers: a JVM of this machine, or Docker. */
export interface BrokerHost {
  /** The ports it wants on this machine for each broker. */
  readonly portsPerBroker: number;
  /** Makes the data of each broker that has none yet. */
  format(ids: readonly number[]): Promise<void>;
  start(id: number): Promise<RunningBroker>;
  /** As if its disk were replaced by an empty one; the broker is down. */
  wipe(id: number): Promise<void>;
  /** What the broker said last, for an explanation. */
  logTail(id: number): Promise<string>;
}

/** What all hosts need to know. */
export interface ClusterLayout {
  /** A folder of the cluster's own. */
  dir: string;
  clusterId: string;
  /** By broker, the ports on this machine, the one for clients first. */
  ports: readonly (readonly number[])[];
}
