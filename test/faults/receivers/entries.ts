/** What the receivers tell of themselves, in the order in which it happened. Short, for there are many. */
export type Entry =
  | [what: 'request', number: number, path: string, eventId: string, webhookId: string, attempt: number, at: number]
  /** Status 0: the sender had gone before it was answered. */
  | [what: 'answer', number: number, status: number, at: number];

export type Command = { ask: 'entries' } | { ask: 'behave'; path: string; status: number; delayMs: number };
