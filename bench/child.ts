// The process of one measured arm: sets it up, then does as many runs as each message says and answers how long they took.
import { comparisons } from "./comparisons.js";
import type { Elapsed, Turn } from "./harness.js";

const [comparison, name] = process.argv.slice(2) as [string, string];
const arm = comparisons[comparison]?.comparison.arms[name];
if (arm === undefined) throw new Error(`no arm ${name} in ${comparison}`);
const run = await arm();

process.on("message", async ({ count }: Turn) => {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  await run(count);
  const { user, system } = process.cpuUsage(cpu);
  const elapsed: Elapsed = { wallMs: performance.now() - start, cpuMs: (user + system) / 1000 };
  process.send?.(elapsed);
});
