import { z } from 'zod';

export const expungeQuery = z.strictObject({
  tenantId: z.string().max(100).optional().describe('Only with the operator token, and needed there.'),
});
export type ExpungeQuery = z.infer<typeof expungeQuery>;

export const expungedView = z.object({
  id: z.string(),
  tenantId: z.string(),
  events: z
    .array(
      z.object({ partition: z.int(), offset: z.int(), appendedAt: z.iso.datetime(), expungedAt: z.iso.datetime() }),
    )
    .describe(
      'The event, and others with its id: their payloads are gone from the database, with what endpoints have answered, ' +
        'and nothing sends them anew. The log is told, at once or as soon as Kafka is there, so that a database that is made ' +
        'anew from it leaves them out. What is in a lane already is still tried: what an endpoint answers to that is ' +
        'recorded again. Expunge once more when the deliveries are over.',
    ),
  copies: z
    .array(
      z.object({
        topic: z.string(),
        until: z.iso.datetime().describe('The log has let go of it by then, at the latest.'),
      }),
    )
    .describe(
      'Where the payload may still be, for a log can not be changed: it ages out. hookline.attempts has what endpoints ' +
        'answered, which may be what they got.',
    ),
});
export type ExpungedView = z.infer<typeof expungedView>;
