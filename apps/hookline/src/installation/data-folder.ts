import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify, isAlive, StartError, type ProcessIdentity } from '@hookline/embedded';

/** Kafka's first segments and indexes, PostgreSQL's first files and its write-ahead log need about half of this. */
const ROOM_NEEDED = 300 * 1024 * 1024;

/** A data folder belongs to one start at a time. */
export class DataFolder {
  private readonly claimFile: string;

  private constructor(readonly path: string) {
    this.claimFile = join(path, 'running.json');
  }

  /** @throws StartError if another start has it, if it can't be made, or if its disk is full */
  static claim(path: string): DataFolder {
    const folder = new DataFolder(path);
    try {
      mkdirSync(path, { recursive: true });
      const { bavail, bsize } = statfsSync(path);
      if (bavail * bsize < ROOM_NEEDED)
        throw new StartError(
          `The disk with ${path} has ${Math.floor((bavail * bsize) / 1_048_576)} MB left, and Hookline needs ${ROOM_NEEDED / 1_048_576}: make room, or use another folder (--data).`,
        );
      folder.take();
    } catch (error) {
      if (error instanceof StartError) throw error;
      throw new StartError(
        `The data folder ${path} can't be used (${(error as Error).message}): name another (--data).`,
      );
    }
    return folder;
  }

  release(): void {
    rmSync(this.claimFile, { force: true });
  }

  private take(): void {
    const claim = JSON.stringify(identify(process.pid));
    try {
      writeFileSync(this.claimFile, claim, { flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const holder = this.holder();
      if (holder)
        throw new StartError(
          `Hookline runs already with the data in ${this.path} (pid ${holder.pid}): stop it, or use another folder (--data).`,
        );
      writeFileSync(this.claimFile, claim);
    }
  }

  private holder(): ProcessIdentity | undefined {
    try {
      const holder = JSON.parse(readFileSync(this.claimFile, 'utf8')) as ProcessIdentity;
      return holder.pid !== process.pid && isAlive(holder) ? holder : undefined;
    } catch {
      return undefined; // cut off by a full disk
    }
  }
}
