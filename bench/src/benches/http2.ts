import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Client, Pool, type Dispatcher } from 'undici';
import { defineBench } from '../bench.js';
import { whole } from '../flags.js';
import type { SecureServerReady } from '../receiver/secure-server.js';
import { ratio } from '../report/aim.js';
import { percentile } from '../report/latency.js';

const BODY = Buffer.alloc(1_024, 'x');
const HEADERS = ['content-type', 'application/json', 'webhook-id', 'msg_a', 'webhook-timestamp', '1700000000'];

interface Way {
  name: string;
  dispatcher: Dispatcher;
  /** Lets undici have several requests without an answer on one connection. */
  idempotent: boolean;
}

interface Figure {
  requestsPerSecond: number;
  clientMicros: number;
  serverMicros: number;
}

/** Requests one after another over one of many loops; nothing is kept but their number. */
class Loop implements Dispatcher.DispatchHandler {
  private done: () => void = () => undefined;
  private failed: (error: Error) => void = () => undefined;

  constructor(private readonly way: Way) {}

  request(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.done = resolve;
      this.failed = reject;
      const { dispatcher, idempotent } = this.way;
      dispatcher.dispatch({ method: 'POST', path: '/', headers: HEADERS, body: BODY, idempotent }, this);
    });
  }

  onConnect(): void {}

  onHeaders(status: number): boolean {
    if (status !== 200) throw new Error(`answered ${status}`);
    return true;
  }

  onData(): boolean {
    return true;
  }

  onComplete(): void {
    this.done();
  }

  onError(error: Error): void {
    this.failed(error);
  }
}

export const http2 = defineBench({
  name: 'http2',
  about: 'HTTP/2 against HTTP/1.1: CPU and pace of requests of 1 KB over TLS on this machine, nothing else running.',
  flags: {
    seconds: whole(3, 'of each way in each round'),
    rounds: whole(3, 'in each of which the ways take turns'),
    inFlight: whole(64, 'requests without an answer'),
  },
  async run({ seconds, rounds, inFlight }, say) {
    const child = fork(new URL('../receiver/secure-server.js', import.meta.url));
    const [{ port, cert }] = (await once(child, 'message')) as [SecureServerReady];
    const ways = waysTo(`https://127.0.0.1:${port}`, cert, inFlight);
    const found = ways.map((): Figure[] => []);
    for (const way of ways) await measure(way, child, inFlight, 1);
    for (let round = 1; round <= rounds; round++)
      for (const [at, way] of ways.entries()) {
        say(`round ${round} of ${rounds}: ${way.name}`);
        found[at]?.push(await measure(way, child, inFlight, seconds));
      }
    await Promise.all(ways.map(({ dispatcher }) => dispatcher.destroy()));
    child.disconnect();
    // Each round is compared with itself: what others do on the machine changes from one to the next.
    const compared = found.map((figures) => (pick: (figure: Figure) => number): number => {
      const ratios = figures.map((figure, at) => ratio(pick(figure), pick(found[0]?.[at] as Figure)));
      return percentile(ratios, 50);
    });
    const rows = ways.map(({ name }, at) => {
      const middle = (pick: (figure: Figure) => number): string =>
        `${Math.round(percentile((found[at] as Figure[]).map(pick), 50))} (${compared[at]?.(pick)})`;
      return [
        name,
        middle((one) => one.requestsPerSecond),
        middle((one) => one.clientMicros),
        middle((one) => one.serverMicros),
      ];
    });
    return {
      setting: `${inFlight} requests of 1 KB in flight over TLS, ${rounds} rounds of ${seconds} s for each way; medians, and ratios to the first way within a round.`,
      tables: [{ head: ['', 'requests/s', 'client, µs of CPU', 'server, µs of CPU'], rows }],
      notes: [],
      aims: [],
      faults: [],
      figures: Object.fromEntries(ways.map(({ name }, at) => [name, found[at]])),
    };
  },
});

function waysTo(origin: string, ca: string, inFlight: number): Way[] {
  const options = { connect: { ca }, headersTimeout: 0, bodyTimeout: 0 };
  return [
    { name: 'HTTP/1.1', dispatcher: new Pool(origin, { ...options, pipelining: 1 }), idempotent: false },
    {
      name: 'HTTP/2, one connection',
      dispatcher: new Client(origin, { ...options, allowH2: true, pipelining: inFlight }),
      idempotent: true,
    },
    {
      name: 'HTTP/2, a connection for each request',
      dispatcher: new Pool(origin, { ...options, allowH2: true, pipelining: 1 }),
      idempotent: false,
    },
  ];
}

async function measure(way: Way, child: ChildProcess, inFlight: number, seconds: number): Promise<Figure> {
  const [cpu, serverCpu, begin] = [process.cpuUsage(), await cpuOf(child), performance.now()];
  let requests = 0;
  const loop = async (): Promise<void> => {
    const one = new Loop(way);
    for (; performance.now() - begin < seconds * 1_000; requests++) await one.request();
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  const took = (performance.now() - begin) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    requestsPerSecond: requests / took,
    clientMicros: (user + system) / requests,
    serverMicros: (((await cpuOf(child)) - serverCpu) * 1e6) / requests,
  };
}

async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu');
  const [seconds] = (await once(child, 'message')) as [number];
  return seconds;
}
