import { createHash } from 'node:crypto';
import { Tagger } from '@hookline/domain';
import { InvalidCursor } from './cursor.js';

/** Where a reader of the stream stands: by partition, the offset of the next event. One that is missing begins at 0. */
export type StreamPosition = ReadonlyMap<number, number>;

/** It was given where the cluster was not known, or by a release that did not ask: it is taken as one of this cluster. */
const UNBOUND = 1;
const BOUND = 2;
/** Of a hash of the cluster's id. */
const CLUSTER_BYTES = 6;
/** Seven bits of a number in each byte; the eighth says that more follow. */
const BYTE = 128;

/** Its offsets are of the log of another Kafka cluster, and say nothing here. */
export class OtherCluster extends InvalidCursor {
  override name = 'OtherCluster';

  constructor(readonly position: StreamPosition) {
    super('the cursor is of another Kafka cluster');
  }
}

/**
 * A position as one opaque text: base64url of the version (a byte), the first bytes of a hash of the cluster's id, for each
 * partition from 0 on its offset plus one as a varint (0: not in the position), and a tag over these and the tenant. It
 * holds no state of ours: any process that has the keys reads it, whenever.
 */
export class StreamCursors {
  private readonly tagger: Tagger;

  /** @param keys the sealing keys: the first one makes cursors, all of them read them */
  constructor(keys: readonly string[]) {
    this.tagger = new Tagger(keys, 'stream cursor');
  }

  /** @param clusterId undefined where it is not known */
  encode(tenantId: string, position: StreamPosition, clusterId?: string): string {
    const count = Math.max(-1, ...position.keys()) + 1;
    const bytes = clusterId === undefined ? [UNBOUND] : [BOUND, ...markOf(clusterId)];
    for (let partition = 0; partition < count; partition += 1) {
      const offset = position.get(partition);
      putNumber(bytes, offset === undefined ? 0 : offset + 1);
    }
    const body = Buffer.from(bytes);
    return Buffer.concat([body, this.tagger.tag(bound(body, tenantId))]).toString('base64url');
  }

  /**
   * @param clusterId undefined where it is not known: then any is taken
   * @throws InvalidCursor if it was made by nobody who has our keys, or for another tenant; OtherCluster
   */
  decode(tenantId: string, text: string, clusterId?: string): StreamPosition {
    const bytes = Buffer.from(text, 'base64url');
    // Node reads over what is no base64url; there is one way to write a cursor.
    if (bytes.length <= Tagger.bytes || bytes.toString('base64url') !== text) throw invalid();
    const body = bytes.subarray(0, -Tagger.bytes);
    if (!this.tagger.isTagOf(bytes.subarray(-Tagger.bytes), bound(body, tenantId))) throw invalid();
    if (body[0] === UNBOUND) return positionOf(body.subarray(1));
    if (body[0] !== BOUND) throw new InvalidCursor('the cursor is of another release');
    const position = positionOf(body.subarray(1 + CLUSTER_BYTES));
    const mark = body.subarray(1, 1 + CLUSTER_BYTES);
    if (clusterId !== undefined && !mark.equals(markOf(clusterId))) throw new OtherCluster(position);
    return position;
  }
}

function markOf(clusterId: string): Buffer {
  return createHash('sha256').update(clusterId).digest().subarray(0, CLUSTER_BYTES);
}

function bound(body: Buffer, tenantId: string): Buffer {
  return Buffer.concat([body, Buffer.from(`/${tenantId}`)]);
}

function putNumber(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= BYTE; rest = Math.floor(rest / BYTE)) bytes.push((rest % BYTE) + BYTE);
  bytes.push(rest);
}

function positionOf(numbers: Buffer): StreamPosition {
  const position = new Map<number, number>();
  let partition = 0;
  let value = 0;
  let unit = 1;
  for (const byte of numbers) {
    value += (byte % BYTE) * unit;
    unit *= BYTE;
    if (byte >= BYTE) continue;
    if (value > 0) position.set(partition, value - 1);
    partition += 1;
    [value, unit] = [0, 1];
  }
  return position;
}

function invalid(): InvalidCursor {
  return new InvalidCursor('the cursor is not one that a poll of this tenant gave');
}
