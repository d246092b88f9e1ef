/** What did not hold, as a sentence. */
export class StepFailed extends Error {
  override name = 'StepFailed';
}

/** Tells the tour as it goes: a step, what happens in it, and what was checked. */
export class Narrator {
  private steps = 0;

  constructor(private readonly write: (text: string) => void) {}

  step(title: string): void {
    this.steps += 1;
    this.write(`\n${this.steps}. ${title}\n`);
  }

  say(line: string): void {
    this.write(`   ${line}\n`);
  }

  /** @throws StepFailed if it does not hold */
  check(claim: string, holds: boolean, found?: unknown): void {
    if (!holds) throw new StepFailed(`${claim}: no${found === undefined ? '' : `, it is ${JSON.stringify(found)}`}`);
    this.write(`   ✓ ${claim}\n`);
  }
}
