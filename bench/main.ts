// Runs the comparisons and prints a table, or with --json an array of {name, value, unit, peer, ratio}. Names of
// comparisons given as arguments choose among them; --clock cpu counts processor time, for a machine that others use too.
import { parseArgs } from "node:util";
import { comparisons } from "./comparisons.js";
import { type ClockName, measure, type Result } from "./harness.js";
import { measureMemory } from "./memory.js";
import { measureRemoteCalls } from "./remote-calls.js";
import { measureStore } from "./store.js";

const { values, positionals } = parseArgs({
  options: { json: { type: "boolean" }, clock: { type: "string" } },
  allowPositionals: true,
});
const clock: ClockName = values.clock === "cpu" ? "cpu" : "wall";
const runs: Record<string, () => Promise<readonly Result[]>> = {};
for (const [name, { comparison, unit, scale }] of Object.entries(comparisons)) {
  runs[name] = () => measure(name, comparison, unit, scale, clock);
}
runs["memory"] = measureMemory;
runs["remote-calls"] = measureRemoteCalls;
runs["store"] = () => measureStore(clock);

for (const name of positionals) {
  if (!Object.hasOwn(runs, name)) {
    console.error(`unknown comparison ${name}: choose among ${Object.keys(runs).join(", ")}`);
    process.exit(2);
  }
}
const results: Result[] = [];
for (const name of positionals.length > 0 ? positionals : Object.keys(runs)) {
  console.error(`measuring ${name} ...`);
  results.push(...((await runs[name]?.()) ?? []));
}
if (values.json === true) {
  console.log(JSON.stringify(results, null, 2));
} else {
  for (const { name, value, unit, peer, ratio } of results) {
    const compared = ratio === null ? "" : `${ratio.toFixed(2)} x ${peer}`;
    console.log(`${name.padEnd(56)} ${String(value).padStart(8)} ${unit.padEnd(5)} ${compared}`);
  }
}
