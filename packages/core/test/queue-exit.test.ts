// Callers that wait for their turn hold the process: a job under a budget of loads is never cut short, with exit code 0.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { cacheLimits } from "../src/cache.js";
import { LoadQueue } from "../src/cache-loads.js";
import { FakeTime, settle } from "./cache-support.js";

const CHILD = fileURLToPath(new URL("./fixtures/queue-child.ts", import.meta.url));

test.each([
  ["sealed", Array.from({ length: 13 }, (_value, i) => i)],
  ["warmed", Array.from({ length: 12 }, (_value, i) => `t${i}`)],
  ["refused", ["ERR_THROTTLED"]],
  ["givenUp", ["enough"]],
])("a process that only waits in the queue ends when all of it is done: %s", (what, done) => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=@fengni/source", "--import", "tsx", CHILD, what],
    { cwd: fileURLToPath(new URL("../../..", import.meta.url)), encoding: "utf8", timeout: 120_000 },
  );
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({ code: 0, done });
});

describe("the queue's timer", () => {
  const limits = cacheLimits({ maxAgeMs: 60_000, maxLoadsPerSecond: 1, maxLoadWaitMs: 5000 });
  const load = async (): Promise<number> => 1;

  function bench(): { time: FakeTime; queue: LoadQueue; holding: () => boolean[] } {
    const time = new FakeTime();
    const queue = new LoadQueue(limits, { clock: time, setTimer: time.setTimer });
    return { time, queue, holding: () => time.timers.map((timer) => timer.holdsProcess) };
  }

  test("holds the process while a caller waits, and not for work in the background", async () => {
    const { time, queue, holding } = bench();
    await queue.run(load);
    expect(holding()).toEqual([]);
    const background = queue.enter(load, true);
    queue.pump();
    expect(holding()).toEqual([false]);
    const caller = queue.run(load);
    expect(holding()).toEqual([true]);
    await time.advance(1000);
    expect(await caller).toBe(1);
    expect(background.turn.begun).toBe(false);
    expect(holding()).toEqual([false]);
    queue.promote(background.turn);
    expect(holding()).toEqual([true]);
    await time.advance(1000);
    expect(await background.result).toBe(1);
    expect(holding()).toEqual([]);
  });

  test("lets it go with the last caller that gives up", async () => {
    const { queue, holding } = bench();
    await queue.run(load);
    const gone = [queue.enter(load, false), queue.enter(load, false)];
    const background = queue.enter(load, true);
    queue.pump();
    expect(holding()).toEqual([true]);
    const enough = new Error("enough");
    for (const [index, { turn, result }] of gone.entries()) {
      queue.leave(turn, enough);
      await expect(result).rejects.toBe(enough);
      expect(holding()).toEqual([index === 0]);
    }
    queue.leave(background.turn, enough);
    await expect(background.result).rejects.toBe(enough);
    expect(holding()).toEqual([]);
    await settle();
  });
});
