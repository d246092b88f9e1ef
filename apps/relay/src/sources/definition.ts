import { z } from 'zod';

/** Where a part of an event comes from in a record. */
const anyTerm = z.union(
  [
    z.strictObject({ constant: z.string().min(1) }),
    /** A header's text; the first one where the producer wrote several. */
    z.strictObject({ header: z.string().min(1) }),
    /** A text or a number in the record's value, by JSON pointer (RFC 6901). */
    z.strictObject({ pointer: z.string().regex(/^(\/.*)?$/s) }),
    /** The record's key, as text or, where it is none, in hex. */
    z.strictObject({ recordKey: z.enum(['text', 'hex']) }),
    /** An attribute of a CloudEvent, e.g. `subject`. */
    z.strictObject({ attribute: z.string().regex(/^[a-z0-9]+$/) }),
  ],
  'must be one of {constant}, {header}, {pointer: "/…"}, {recordKey: text | hex}, or in a CloudEvent {attribute}',
);

const mapping = z.strictObject({
  type: anyTerm,
  id: anyTerm.optional(),
  key: anyTerm.optional(),
  time: anyTerm.optional(),
  data: z.strictObject({ pointer: z.string().regex(/^(\/.*)?$/s, 'must be a JSON pointer') }).optional(),
});

const cloudEvents = z.strictObject({
  id: anyTerm.optional(),
  key: anyTerm.optional(),
  deliver: z.enum(['data', 'event'], 'must be data or event').default('data'),
});

const cluster = z.strictObject({
  brokers: z.array(z.string().min(1, 'must be host:port'), 'must be a list of host:port').min(1, 'must not be empty'),
  tls: z.boolean('must be true or false').default(false),
  tlsCaFile: z.string().optional(),
  tlsCertFile: z.string().optional(),
  tlsKeyFile: z.string().optional(),
  saslMechanism: z
    .enum(['none', 'plain', 'scram-sha-256', 'scram-sha-512'], 'must be none, plain, scram-sha-256 or scram-sha-512')
    .default('none'),
  saslUsername: z.string().optional(),
  /** Not the password itself: the list of sources is no secret. */
  saslPasswordFile: z.string().optional(),
});

/** What a person writes for one source; what it means stands in docs/sources.md. */
export const sourceSchema = z.strictObject({
  name: z
    .string('is required, and must be a text')
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ -, the first no mark'),
  tenant: z.string('is required, and must be a text').min(1, 'must not be empty'),
  topic: z
    .string('is required, and must be a text')
    .regex(/^[A-Za-z0-9._-]{1,249}$/, "must be a topic's name")
    .refine((topic) => !/^(hookline\.|__)/.test(topic), 'must not be a topic of Hookline or of Kafka itself'),
  format: z.union(
    [z.literal('cloudevents'), z.strictObject({ cloudevents: cloudEvents }), z.strictObject({ mapping })],
    'must be cloudevents, {cloudevents: {…}} or {mapping: {…}}',
  ),
  kafka: cluster.optional(),
});

export type SourceDefinition = z.infer<typeof sourceSchema>;
export type SourceCluster = z.infer<typeof cluster>;
export type Term = z.infer<typeof anyTerm>;
export type Mapping = z.infer<typeof mapping>;
export type CloudEventsFormat = z.infer<typeof cloudEvents>;
