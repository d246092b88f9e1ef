import { describe, expect, it } from '@jest/globals';
import { EndpointLog } from './endpoint-log.js';

describe('the log of an endpoint', () => {
  it('sees an attempt that comes before it is due, counted from the first refusal', () => {
    const log = new EndpointLog([1_000, 2_000]);
    log.take(['request', 1, '/', 'a', 'msg', 1, 0]);
    log.take(['answer', 1, 503, 10]);
    // The same attempt again, by a worker that did not know of it.
    log.take(['request', 2, '/', 'a', 'msg', 1, 500]);
    log.take(['answer', 2, 503, 510]);
    log.take(['request', 3, '/', 'a', 'msg', 2, 1_010]);
    log.take(['answer', 3, 503, 1_020]);
    expect(log.early).toEqual([]);
    log.take(['request', 4, '/', 'a', 'msg', 3, 3_019]);
    expect(log.early).toEqual(['a: attempt 3 came 1 ms before it was due']);
  });

  it('sees one that overtakes another one of its key, and takes no repeat for that', () => {
    const log = new EndpointLog([], (id) => (id === 'b' ? 'a' : undefined));
    log.take(['request', 1, '/', 'b', 'msg-b', 1, 0]);
    expect(log.disordered).toHaveLength(1);
    log.take(['answer', 1, 204, 1]);
    log.take(['request', 2, '/', 'b', 'msg-b', 1, 2]);
    expect(log.disordered).toHaveLength(1);
  });

  it('counts as accepted only what was answered, once for each id, and tells repeats from twins', () => {
    const log = new EndpointLog([]);
    log.take(['request', 1, '/', 'a', 'msg', 1, 0]);
    log.take(['answer', 1, 0, 1]);
    expect([log.size, log.open, log.has('a')]).toEqual([0, 0, false]);
    for (const number of [2, 3]) {
      log.take(['request', number, '/', 'a', 'msg', 1, 2]);
      log.take(['answer', number, 204, 3]);
    }
    expect([log.size, log.repeats, log.twins]).toEqual([1, [{ eventId: 'a', before: 3, again: 3 }], []]);
    log.take(['request', 4, '/', 'a', 'another', 1, 4]);
    log.take(['answer', 4, 204, 5]);
    expect([log.size, log.repeats.length, log.twins]).toEqual([1, 1, ['a']]);
  });
});
