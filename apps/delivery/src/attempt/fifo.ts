/** A queue that takes out at its head without moving the rest. */
export class Fifo<T> {
  private items: (T | undefined)[] = [];
  private head = 0;

  get size(): number {
    return this.items.length - this.head;
  }

  push(item: T): void {
    this.items.push(item);
  }

  peek(): T | undefined {
    return this.items[this.head];
  }

  shift(): T | undefined {
    const item = this.items[this.head];
    if (item === undefined) return undefined;
    this.items[this.head++] = undefined;
    if (this.head === this.items.length) {
      this.items = [];
      this.head = 0;
    } else if (this.head > 1_024 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }

  /** Takes out all that this is true of; the others stay in their order. */
  takeOut(which: (item: T) => boolean): T[] {
    const out: T[] = [];
    const stay: T[] = [];
    for (let item = this.shift(); item !== undefined; item = this.shift()) (which(item) ? out : stay).push(item);
    this.items = stay;
    this.head = 0;
    return out;
  }
}
