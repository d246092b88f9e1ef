interface Entry<Item> {
  readonly item: Item;
  readonly cost: number;
  next: Entry<Item> | undefined;
}

interface Flow<Item> {
  readonly name: string;
  first: Entry<Item> | undefined;
  last: Entry<Item> | undefined;
  deficit: number;
  /** The flow whose turn is after this one's. */
  next: Flow<Item> | undefined;
}

/**
 * Deficit round-robin (M. Shreedhar, G. Varghese, "Efficient Fair Queueing using Deficit Round Robin", SIGCOMM 1995):
 * each flow in its turn may serve a quantum of cost, and what its next item was too large for it keeps for its next
 * turn. Two flows that always have something are never further apart than a quantum and the greatest cost. Every step
 * is O(1) where no cost is above the quantum, else O(1 + cost / quantum) amortised.
 *
 * A flow that has nothing is forgotten with its deficit, but only when the next item is asked for: who takes an item
 * and has more of the same flow may push that before, and the flow's turn goes on.
 */
export class DeficitRoundRobin<Item> {
  private readonly flows = new Map<string, Flow<Item>>();
  /** The flow whose turn it is, the next ones linked behind it. */
  private head: Flow<Item> | undefined;
  private tail: Flow<Item> | undefined;
  /** Whether the head has been given its quantum of this turn. */
  private inTurn = false;
  private count = 0;

  /** @throws RangeError if the quantum isn't above 0, with which no turn would ever come */
  constructor(private readonly quantum: number) {
    if (!(quantum > 0)) throw new RangeError(`a quantum of ${quantum}`);
  }

  /** Items that wait, over all flows. */
  get size(): number {
    return this.count;
  }

  /** Puts an item at the end of its flow, and a flow that is new at the end of the round. */
  push(flow: string, item: Item, cost: number): void {
    const entry: Entry<Item> = { item, cost, next: undefined };
    const known = this.flows.get(flow);
    this.count++;
    if (known === undefined) {
      const made: Flow<Item> = { name: flow, first: entry, last: entry, deficit: 0, next: undefined };
      this.flows.set(flow, made);
      this.append(made);
      return;
    }
    if (known.last === undefined) known.first = entry;
    else known.last.next = entry;
    known.last = entry;
  }

  /** Takes the item whose turn it is. */
  shift(): Item | undefined {
    for (let flow = this.head; flow !== undefined; flow = this.head) {
      const entry = flow.first;
      if (entry === undefined) {
        this.flows.delete(flow.name);
        this.passTurn(flow);
        continue;
      }
      if (!this.inTurn) flow.deficit += this.quantum;
      this.inTurn = true;
      if (entry.cost <= flow.deficit) return this.serve(flow, entry);
      this.passTurn(flow);
      this.append(flow);
    }
    return undefined;
  }

  private serve(flow: Flow<Item>, entry: Entry<Item>): Item {
    flow.deficit -= entry.cost;
    flow.first = entry.next;
    if (entry.next === undefined) flow.last = undefined;
    this.count--;
    return entry.item;
  }

  private append(flow: Flow<Item>): void {
    if (this.tail === undefined) this.head = flow;
    else this.tail.next = flow;
    this.tail = flow;
  }

  /** Takes the head out of the round. */
  private passTurn(flow: Flow<Item>): void {
    this.head = flow.next;
    if (this.head === undefined) this.tail = undefined;
    flow.next = undefined;
    this.inTurn = false;
  }
}
