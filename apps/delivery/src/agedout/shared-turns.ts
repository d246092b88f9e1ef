/**
 * Does something for whoever asks, one turn at a time. Who asks while a turn is under way gets the next one, together with all
 * others who do: no answer is older than its question.
 * @returns a function that rejects with what its turn threw; the next turn is another try
 */
export function sharedTurns<T>(work: () => Promise<T>): () => Promise<T> {
  let current: Promise<unknown> | undefined;
  let next: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    next = undefined;
    const turn = work();
    current = turn;
    const over = (): void => {
      if (current === turn) current = undefined;
    };
    turn.then(over, over);
    return turn;
  };
  return () => {
    if (current === undefined && next === undefined) return begin();
    next ??= (current as Promise<unknown>).then(begin, begin);
    return next;
  };
}
