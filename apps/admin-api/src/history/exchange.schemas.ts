import { z } from 'zod';
import { attemptView } from './history.schemas.js';

const header = z.object({ name: z.string(), value: z.string().describe('`***`: a secret, or not known.') });

export const exchangeView = attemptView.extend({
  request: z
    .object({
      reconstructed: z
        .literal(true)
        .describe(
          'It was not written down: it is put together as a worker does it, from the event, the attempt and the subscription. What the connection adds (`host`, `content-length`) is not in it.',
        ),
      method: z.literal('POST'),
      url: z.string().nullable().describe('Null where it is `unknown`; credentials in it are masked.'),
      headers: z
        .array(header)
        .describe(
          '`webhook-signature` is computed anew where the subscription and the payload are as they were, and else `***`.',
        ),
      ownHeaders: z
        .array(header)
        .nullable()
        .describe("The subscription's own headers, values masked but for a few harmless ones; null where `unknown`."),
      unknown: z
        .string()
        .nullable()
        .describe('Why the URL and the own headers are not known: a subscription as it was is not kept.'),
      body: z
        .string()
        .nullable()
        .describe('The payload of the event; null where it was expunged, or history does not have it (any more).'),
    })
    .describe('What was sent; or was to be sent, where the `error` says that it did not come to that.'),
  response: z
    .object({
      status: z.int(),
      headers: z
        .array(header)
        .nullable()
        .describe(
          'Of an answer that is no 2xx: 16 at most, HOOKLINE_RESPONSE_HEADER_BYTES together, those that hold secrets masked. Null where none were kept.',
        ),
      body: z
        .string()
        .nullable()
        .describe('Its beginning, HOOKLINE_RESPONSE_BODY_BYTES at most. Null where it had none, or it was expunged.'),
    })
    .nullable()
    .describe('Null where no answer came: the `error` says why.'),
});
export type ExchangeView = z.infer<typeof exchangeView>;
