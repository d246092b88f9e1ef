/** How a receiver answers one request. */
export interface Answer {
  /** 204 unless said. */
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Before the answer, milliseconds. */
  delayMs?: number;
  /** No answer at all: until the caller gives up, or for ever. */
  hang?: boolean;
  /** The connection is cut without an answer. */
  cut?: boolean;
}

/** What a receiver got, as it got it. */
export interface ReceivedRequest {
  method: string;
  path: string;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  /** When the head of the request had come, milliseconds since the epoch. */
  at: number;
  /** `webhook-id`. */
  id: string;
  /** The status it was answered with; undefined while it hangs, and where it was cut. */
  status?: number;
  /** Nobody waits for an answer any more: the sender has gone, or was cut off. */
  over?: boolean;
}

export type Behaviour = (request: ReceivedRequest) => Answer | Promise<Answer>;

/** Fails the first `times` requests, then succeeds. */
export function failFirst(times: number, status = 503): Behaviour {
  let left = times;
  return () => (left-- > 0 ? { status } : {});
}

/** Fails the first `times` requests of each `webhook-id`. */
export function failFirstOfEach(times: number, status = 503): Behaviour {
  const seen = new Map<string, number>();
  return ({ id }) => {
    const count = (seen.get(id) ?? 0) + 1;
    seen.set(id, count);
    return count <= times ? { status } : {};
  };
}
