/** What docs/reliability.md says besides its table. */
export const ABOUT = `# Reliability

Written by \`npm run test:faults -- --write\`; don't edit it by hand.

Three brokers, PostgreSQL, two ingest nodes, three delivery workers, two recorders and management run as processes of their own. Publishers publish
at a steady rate, and repeat each event, with its id, until it is acknowledged. Ten subscriptions get them:

- a plain one, one that is ordered by key, one with a rate limit, one whose endpoint takes 9 s to answer until the fault is over;
- one whose endpoint fails until the fault is over, and one whose endpoint always fails and that is deleted in the end;
- one that is paused under load and stays so, one that is paused and resumed after the fault (a catch-up), one whose endpoint answers \`410\` from some
  moment on, which disables it;
- one that is made under load, then takes more types, is paused as the fault strikes and resumed after it.

While these are changed one worker is frozen for 1.5 s, so that it hears of all of it late. The fault comes at a random moment, when there is work in
flight for it; it is healed; and when all is quiet **each event is looked up by its id**: for each subscription, the acknowledged events are those
that its endpoint has accepted by its own account, those in the dead letters, and those that are held. None is in neither, none delivered is a dead
letter too, none is still pending, and history says the same. Held is only what stands in the log where the subscription takes nothing, or waited when that
began; nothing of the others is, and nothing that was acknowledged before anybody asked for a pause. No attempt comes before it is due, and none overtakes an
earlier event of its key.

- _Events_ are those that were acknowledged, in all runs together; _deliveries_ what became of them over all subscriptions: delivered, dead letters, and
  _held_.
- _Lost_: deliveries that are none of these. _Aged out_: those of events that the log let go of before a worker read them, of which the workers have told;
  nothing can deliver these. _Repeated_: what an endpoint accepted once more, with the same \`webhook-id\`; and how many could have been,
  [by the bound](#what-may-be-repeated).
- _Recovered in_: from the moment at which the fault was about to be healed until publishers were answered again and the plain subscription
  had every event of before; the longest of the runs.
- _Wrong_: runs in which anything at all was not as it is to be.`;

export const AGAIN = `A run is done again with \`npm run test:faults -- --again <seed>/<fault>/<run>\`: its choices are the same then, the moment only to an event. A full run
is \`npm run test:faults -- --resume --write\`: it can be broken off at any time, goes on with the next fault when it is called again, and says how long
it will still take.`;

export const BOUND = `## What may be repeated

A worker repeats nothing by itself. A delivery can be repeated only when a partition goes to another owner, or back to the same one in a new membership,
without a last commit of the owner before: the process died, or the group's coordinator could not be reached before the membership ran out. Then the next owner
does again, of that partition,

- what was **in flight**: an attempt that was not answered, or whose outcome was not yet acknowledged by all in-sync replicas; and
- what was **complete, but not in a commit that the coordinator has acknowledged**. Progress is committed every \`HOOKLINE_COMMIT_INTERVAL\` (250 ms), with
  all that is complete above the watermark: one slow delivery doesn't make the others uncommitted.

How much that is follows from how long no commit was possible:

- **A worker dies**: what its deliveries of the last commit interval and of the way into Kafka (twice: the outcome, then the commit) were, and what was in
  flight. At 1,000 deliveries a second that is some hundred.
- **The coordinator is away** (frozen, killed, wiped, or without a majority): no commit lands, while the endpoints are fine and workers go on. For how long they
  do is bounded: a worker sends nothing more when it has not had a heartbeat acknowledged for \`HOOKLINE_SESSION_TIMEOUT\` (15 s; 10 s here). So the bound is
  **what was completed between the last acknowledged commit and the end of the lease, at most one session timeout after the last heartbeat, and what
  was in flight then**. Where the group comes back with the same generation before that, the next commit carries it all, and nothing is repeated.
- **A worker joins or leaves in order**: what was in flight on the partitions that moved; the rest is committed before.
- **Copies**: a delivery that was handed over or put off in that time may stand in its lane twice. Each copy ends once; for an ordered subscription the
  second one is dropped.

Most of what is repeated after a coordinator was away are such copies: with that of the lanes frozen for 40 s (seed \`e2\`, 3,031 events), 38 repeats were of what was
in flight or uncommitted when it froze, and 241 of deliveries to the endpoint that failed all the time, whose retries had moved from tier to tier while no commit
landed, and stood there twice.

It is never once more than that for each time a partition is lost, and \`webhook-id\` is the same each time.

The harness holds each repeat against it: its delivery must have been under way, or accepted less than 5 s before (or than four times what the slowest publish before the
fault took, where that is more), at a time when workers were losing partitions: the fault and a session timeout after it,
and each time at which a worker's own log says that the group changed or that a commit was refused, with a session timeout before it. Any other one is a fault of
the run. The second figure under _repeated_ is how many deliveries that is true of; it counts what waits (for a rate, for its retry), too, and is therefore
generous to the subscriptions that do not fail.`;

export const FINDS = `## The harness finds what it is for

A mechanism is taken out in a copy of the repository, and the fault that it is there for is run: the harness must say so. To do it again, make the change
and run \`npm run test:faults -- --fault <fault> --runs 1 --events 2500 --rate 300 --results /tmp/mutant.jsonl\`.

| What was taken out                                                                                                        | fault             | seed       | what the harness said                                                                       |
| ------------------------------------------------------------------------------------------------------------------------- | ----------------- | ---------- | ------------------------------------------------------------------------------------------- |
| progress is committed up to what was read, not to what is complete (\`committer.ts\`: \`tracker.position\` for the watermark) | \`delivery-killed\` | \`mutant-b\` | 199 deliveries never came, 41 dead letters neither, and history says of 230 that they go on |
| commits without metadata: what is complete above the watermark is not told (\`committer.ts\`: \`metadata: ''\`)               | \`delivery-killed\` | \`mutant-c\` | nothing lost, 624 repeated, and of 45 of these nothing had been under way or uncommitted    |

2026-11-22, 2,500 events each. The machine was very busy with other work. The first run was broken off before its verdict: the figures are what it was still waiting
for. The second has no counterpart yet: the same seed without the change was broken off, too, so that it is not shown that these 45 come from the change alone.
Events that are acknowledged by the leader alone, with a leader killed, have not been shown to be found.`;
