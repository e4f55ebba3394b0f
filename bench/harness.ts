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
  /** Turns of each arm in each generation of processes. */
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

/**
 * How many times the processes are started anew. A process keeps for life how its memory happens to be laid out.
 */
const GENERATIONS = 3;

/**
 * The same settings of glibc's allocator for every arm: left alone, it gives memory back to the system and takes it anew for
 * each frame in some processes and not in others, by the luck of the heap's layout, which makes a factor of two.
 */
const ALLOCATOR = { MALLOC_TRIM_THRESHOLD_: "2000000000", MALLOC_TOP_PAD_: "64000000" };

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
  const turns = new Map<string, number[]>(Object.keys(definition.arms).map((name) => [name, []]));
  for (let generation = 0; generation < GENERATIONS; generation++) {
    await measureOnce(comparison, definition, clock, turns);
  }
  const rates = new Map([...turns].map(([name, values]) => [name, median(values)]));
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

/** One generation of processes: each arm in its own, in turn for all rounds. */
async function measureOnce(
  comparison: string,
  definition: Comparison,
  clock: ClockName,
  turns: ReadonlyMap<string, number[]>,
): Promise<void> {
  const children = new Map<string, ChildProcess>();
  try {
    const counts = new Map<string, number>();
    for (const name of Object.keys(definition.arms)) {
      const child = fork(CHILD, [comparison, name], { env: { ...process.env, ...ALLOCATOR } });
      child.setMaxListeners(100);
      children.set(name, child);
      counts.set(name, await calibrate(child, definition.roundMs));
    }
    for (let round = 0; round < definition.rounds; round++) {
      for (const [name, child] of children) {
        const count = counts.get(name) as number;
        const { wallMs, cpuMs } = await take(child, count);
        turns.get(name)?.push((count * 1000) / (clock === "cpu" ? cpuMs : wallMs));
      }
    }
  } finally {
    for (const child of children.values()) child.kill();
  }
}

/** How long an arm works before it is measured: compiler and collector take their time. */
const WARM_UP_MS = 1500;

/** Warms an arm up, and finds how many runs fill a turn. */
async function calibrate(child: ChildProcess, roundMs: number): Promise<number> {
  let count = 1;
  for (let total = 0; ; ) {
    const { wallMs } = await take(child, count);
    total += wallMs;
    if (total >= WARM_UP_MS && wallMs >= roundMs / 2) return Math.max(1, Math.round((count * roundMs) / wallMs));
    count = Math.max(1, Math.round(count * Math.min(10, roundMs / Math.max(wallMs, 0.01))));
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
