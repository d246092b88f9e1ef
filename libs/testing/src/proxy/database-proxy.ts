import { connect, createServer, type Server, type Socket } from 'node:net';

type Mode = 'open' | 'refuse' | 'hang';
/** What becomes of the connection over which a COMMIT is sent. */
type CommitFault = 'cut-before' | 'cut-after';

const COMMIT = Buffer.from('COMMIT\0');

/** A PostgreSQL that can be lost: between a role under test and the real one, failing where the test says. */
export class DatabaseProxy {
  /** Faults that were met. */
  faults = 0;
  private mode: Mode = 'open';
  private readonly commitFaults: CommitFault[] = [];
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly target: URL,
  ) {
    server.on('connection', (socket) => this.serve(socket));
  }

  static async open(databaseUrl: string): Promise<DatabaseProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new DatabaseProxy(server, new URL(databaseUrl));
  }

  get url(): string {
    const url = new URL(this.target);
    url.hostname = '127.0.0.1';
    url.port = String((this.server.address() as { port: number }).port);
    return url.href;
  }

  /** Cuts what is open, and refuses what comes. */
  refuse(): void {
    this.mode = 'refuse';
    for (const socket of this.sockets) socket.destroy();
  }

  /** Keeps connections open and passes nothing on. */
  hang(): void {
    this.mode = 'hang';
  }

  restore(): void {
    const hung = this.mode === 'hang';
    this.mode = 'open';
    if (hung) for (const socket of this.sockets) socket.destroy();
  }

  /** The next COMMITs: the connection ends before PostgreSQL gets it, or before its answer gets back. */
  failCommits(...faults: CommitFault[]): void {
    this.commitFaults.push(...faults);
  }

  async close(): Promise<void> {
    this.refuse();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private serve(client: Socket): void {
    if (this.mode === 'refuse') {
      client.destroy();
      return;
    }
    const database = connect(Number(this.target.port), this.target.hostname);
    let answers = true;
    const end = (): void => {
      client.destroy();
      database.destroy();
    };
    for (const socket of [client, database]) {
      this.sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        this.sockets.delete(socket);
        end();
      });
    }
    client.on('data', (bytes) => {
      if (this.mode === 'hang') return;
      const fault = bytes.includes(COMMIT) ? this.commitFaults.shift() : undefined;
      if (fault) this.faults += 1;
      if (fault === 'cut-before') return end();
      if (fault === 'cut-after') answers = false;
      database.write(bytes);
    });
    database.on('data', (bytes) => {
      if (!answers) end();
      else if (this.mode !== 'hang') client.write(bytes);
    });
  }
}
