// Measures arms side by side. Each arm has a process of its own, so that no library's garbage or type feedback slows
// another; they take turns, round by round, so that a machine whose speed drifts slows all of them alike. Reported are
// medians over the rounds, and ratios of medians.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Sets an arm up and returns what does its work `count` times. */
export type Arm = () => Promise<(count: number) => void | Promise<void>>;

/** What can be measured together: arms by name, how long, and how rates become lines of the report. */
export interface Comparison {
  readonly arms: Readonly<Record<string, Arm>>;
  readonly rounds: number;
  /** How long one arm's turn should take, in milliseconds; a turn is one run at least. */
  readonly roundMs: number;
  readonly lines: (line: Line) => readonly Result[];
}

/** Makes the line of an arm, compared with another one where that is given. */
export type Line = (name: string, peer?: string) => Result;

/** One line of the report. */
export interface Result {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What `ratio` compares with; null for a figure that stands alone. */
  readonly peer: string | null;
  readonly ratio: number | null;
}

/** What the parent asks of an arm's process, and what it answers. */
export interface Turn {
  readonly count: number;
}
export interface Elapsed {
  readonly wallMs: number;
  /** Processor time of all threads: less disturbed where others use the machine too. */
  readonly cpuMs: number;
}

/** By which clock rates are told. */
export type ClockName = "wall" | "cpu";

const CHILD = fileURLToPath(new URL("./child.ts", import.meta.url));

async function take(child: ChildProcess, count: number): Promise<Elapsed> {
  const turn: Turn = { count };
  child.send(turn);
  const exited = once(child, "exit").then(([code]) => {
    throw new Error(`a measured process ended with code ${code}`);
  });
  const [answer] = (await Promise.race([once(child, "message"), exited])) as [Elapsed];
  return answer;
}

/** Runs a comparison. @param unit - of the values; `scale` turns runs per second into it */
export async function measure(
  comparison: string,
  definition: Comparison,
  unit: string,
  scale: number,
  clock: ClockName,
): Promise<readonly Result[]> {
  const rates = new Map<string, number>();
  const children = new Map<string, ChildProcess>();
  try {
    const counts = new Map<string, number>();
    for (const name of Object.keys(definition.arms)) {
      const child = fork(CHILD, [comparison, name]);
      child.setMaxListeners(100);
      children.set(name, child);
      counts.set(name, await calibrate(child, definition.roundMs));
    }
    const turns = new Map<string, number[]>([...children.keys()].map((name) => [name, []]));
    for (let round = 0; round < definition.rounds; round++) {
      for (const [name, child] of children) {
        const count = counts.get(name) as number;
        const { wallMs, cpuMs } = await take(child, count);
        turns.get(name)?.push((count * 1000) / (clock === "cpu" ? cpuMs : wallMs));
      }
    }
    for (const [name, values] of turns) rates.set(name, median(values));
  } finally {
    for (const child of children.values()) child.kill();
  }
  return definition.lines((name, peer) => {
    const rate = rates.get(name);
    const peerRate = peer === undefined ? null : rates.get(peer);
    if (rate === undefined || peerRate === undefined) throw new Error(`nothing was measured under ${name} or ${peer}`);
    return {
      name,
      value: round(rate * scale),
      unit,
      peer: peer ?? null,
      ratio: peerRate === null ? null : round(rate / peerRate),
    };
  });
}

/** Warms an arm up, and finds how many runs fill a turn. */
async function calibrate(child: ChildProcess, roundMs: number): Promise<number> {
  let count = 1;
  await take(child, 1);
  for (;;) {
    const { wallMs: elapsed } = await take(child, count);
    if (elapsed >= roundMs / 2) return Math.max(1, Math.round((count * roundMs) / elapsed));
    count = Math.ceil(count * Math.min(10, (roundMs * 1.2) / Math.max(elapsed, 0.01))) + 1;
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
