import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SIZE_MIB = 384;
const CHUNK = Buffer.alloc(1_048_576);

/** A folder that is a small file system of its own, in memory: so that it can be full, and nothing else is. */
export class SmallDisk implements Disposable {
  private static tried: { hindrance: string | undefined } | undefined;

  /** Whose disk it is. */
  readonly broker = 3;

  private constructor(private readonly folder: string) {}

  /** Why there can't be one here; undefined where there can. */
  static hindrance(): string | undefined {
    SmallDisk.tried ??= { hindrance: tryOne() };
    return SmallDisk.tried.hindrance;
  }

  /** @throws Error where that is not allowed */
  static mount(folder: string): SmallDisk {
    mkdirSync(folder, { recursive: true });
    const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE_MIB}m`, 'tmpfs', folder]);
    if (status !== 0) throw new Error(`a small disk could not be made: ${String(stderr)}`);
    const disk = new SmallDisk(folder);
    // A run that is broken off is to leave nothing mounted.
    process.once('exit', () => disk[Symbol.dispose]());
    return disk;
  }

  /** Leaves no room at all. */
  fill(): void {
    const file = openSync(this.filler, 'w');
    try {
      for (;;) writeSync(file, CHUNK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
  }

  makeRoom(): void {
    rmSync(this.filler, { force: true });
  }

  [Symbol.dispose](): void {
    spawnSync('umount', ['-l', this.folder]);
  }

  /** Not one of the names that Kafka minds in its folder. */
  private get filler(): string {
    return join(this.folder, '.filler');
  }
}

function tryOne(): string | undefined {
  if (process.platform !== 'linux') return 'a small file system can be made on Linux only';
  const folder = join(tmpdir(), `hookline-small-disk-${process.pid}`);
  try {
    SmallDisk.mount(folder)[Symbol.dispose]();
    return undefined;
  } catch {
    return 'no file system may be mounted here (that takes root)';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
