// Faults that are switched on, as a client sees them, and the administration that switches them.
import { ManualClock } from "@fengni/backend-local";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Emulator } from "../src/assemble.js";
import { startEmulator } from "../src/emulator.js";
import type { FaultRule } from "../src/fault-rules.js";
import { Faults } from "../src/faults.js";
import {
  CREDENTIALS,
  call,
  codeOf,
  faultRecorded,
  type RawAnswer,
  RawConnection,
  signedRequest,
} from "./server-support.js";

const START_SECONDS = 1_800_000_000;
const AT_START = { timestampSeconds: START_SECONDS };
const clock = new ManualClock(START_SECONDS * 1000);
let emulator: Emulator;

beforeAll(async () => {
  emulator = await startEmulator({ credentials: CREDENTIALS, clock, admin: true });
});
afterEach(() => emulator.faults.clear(1));
afterAll(() => emulator.close());

/** Creates a key under one fault. @returns what the client sees, how its connection ended, and whether there is a key */
async function createUnder(rule: FaultRule): Promise<{
  readonly answer: RawAnswer | undefined;
  readonly connection: RawConnection;
  readonly isDone: boolean;
}> {
  const before = (await emulator.kms.listKeys()).total;
  emulator.faults.add({ ...rule, count: 1 });
  const connection = new RawConnection(emulator.port);
  connection.write(signedRequest(emulator.port, "CreateKey", { Alias: `key-${before}` }, AT_START));
  const answer = await connection.answer();
  connection.socket.destroy();
  await connection.closed;
  return { answer, connection, isDone: (await emulator.kms.listKeys()).total === before + 1 };
}

describe("a fault", () => {
  test("throttle: RequestLimitExceeded, and nothing is done", async () => {
    const { answer, isDone } = await createUnder({ kind: "throttle" });
    expect([codeOf(answer), isDone]).toEqual(["RequestLimitExceeded", false]);
    expect(emulator.audit.recent().at(-1)).toMatchObject({ fault: "throttle", action: "CreateKey" });
  });

  test("internal-error: InternalError, and nothing is done", async () => {
    const { answer, isDone } = await createUnder({ kind: "internal-error" });
    expect([codeOf(answer), isDone]).toEqual(["InternalError", false]);
  });

  test.each([undefined, 500, 502, 504])("http-5xx with status %s: no envelope, and nothing is done", async (status) => {
    const { answer, isDone } = await createUnder({ kind: "http-5xx", ...(status === undefined ? {} : { status }) });
    expect([answer?.status, isDone]).toEqual([status ?? 503, false]);
  });

  test("reset: the connection breaks, and nothing is done", async () => {
    const { answer, connection, isDone } = await createUnder({ kind: "reset" });
    expect([answer, connection.wasReset, isDone]).toEqual([undefined, true, false]);
  });

  test("reset-after: the connection breaks, and it is done", async () => {
    const { answer, connection, isDone } = await createUnder({ kind: "reset-after" });
    expect([answer, connection.wasReset, isDone]).toEqual([undefined, true, true]);
    expect(emulator.audit.recent().at(-1)).toMatchObject({ fault: "reset-after", code: "" });
  });

  test("truncate: the answer breaks off, and it is done", async () => {
    const { answer, connection, isDone } = await createUnder({ kind: "truncate" });
    expect([answer, isDone]).toEqual([undefined, true]);
    expect(connection.rest).toMatch(/^HTTP\/1\.1 200 OK/);
    expect(connection.rest).toContain('{"Response":');
  });

  test("garble: the answer is whole and no JSON, and it is done", async () => {
    const { answer, isDone } = await createUnder({ kind: "garble" });
    expect([answer?.status, isDone]).toEqual([200, true]);
    expect(() => JSON.parse(answer?.body ?? "{}")).toThrow(SyntaxError);
  });

  test("hang: there is no answer until the client leaves, and nothing is done", async () => {
    emulator.faults.add({ kind: "hang", count: 1 });
    const hangs = faultRecorded(emulator, "hang");
    const connection = new RawConnection(emulator.port);
    connection.write(signedRequest(emulator.port, "CreateKey", { Alias: "hanging" }, AT_START));
    await hangs;
    expect(codeOf(await call(emulator, "ListKeys", {}, AT_START))).toBe("");
    expect(connection.rest).toBe("");
    connection.socket.destroy();
    await expect(emulator.kms.resolveKeyId("hanging")).rejects.toMatchObject({ code: "ERR_KEY_NOT_FOUND" });
  });

  test("latency: the answer comes, later", async () => {
    const before = performance.now();
    const { answer, isDone } = await createUnder({ kind: "latency", latencyMs: 60 });
    expect([codeOf(answer), isDone]).toEqual(["", true]);
    expect(performance.now() - before).toBeGreaterThanOrEqual(59);
  });

  test("of the clock moves the window of signatures and the header Date, and no key's time", async () => {
    emulator.faults.skewSeconds = 3_600;
    const answer = await call(emulator, "ListKeys", {}, AT_START);
    expect(codeOf(answer)).toBe("AuthFailure.SignatureExpire");
    expect(answer?.headers["date"]).toBe("Fri, 15 Jan 2027 09:00:00 GMT");
    // What a client does that learns the time from the answer.
    const again = { timestampSeconds: Date.parse(answer?.headers["date"] ?? "") / 1000 };
    expect(codeOf(await call(emulator, "ListKeys", {}, again))).toBe("");
    expect(clock.now()).toBe(START_SECONDS * 1000);
  });

  test("of one action does not touch the others", async () => {
    emulator.faults.add({ kind: "throttle", action: "CreateKey" });
    expect(codeOf(await call(emulator, "ListKeys", {}, AT_START))).toBe("");
    expect(codeOf(await call(emulator, "CreateKey", { Alias: "throttled" }, AT_START))).toBe("RequestLimitExceeded");
  });
});

describe("rules", () => {
  test("happen as often as they should, and are gone then", () => {
    const faults = new Faults();
    faults.add({ kind: "throttle", count: 2 });
    expect(Array.from({ length: 3 }, () => faults.choose("Encrypt")?.kind)).toEqual([
      "throttle",
      "throttle",
      undefined,
    ]);
    expect(faults.list()).toEqual([]);
  });

  test("wait together, and the first other fault is the one", () => {
    const faults = new Faults();
    faults.add({ kind: "latency", latencyMs: 5 });
    faults.add({ kind: "latency", latencyMs: 7 });
    faults.add({ kind: "reset" });
    faults.add({ kind: "throttle" });
    expect(faults.choose("Encrypt")).toMatchObject({ latencyMs: 12, kind: "reset" });
    expect(faults.list().map(({ happened }) => happened)).toEqual([1, 1, 1, 0]);
  });

  test("are drawn with their probability, the same for the same seed", () => {
    const draw = (seed: number): string => {
      const faults = new Faults(seed);
      faults.add({ kind: "throttle", probability: 0.25 });
      return Array.from({ length: 4_000 }, () => (faults.choose(undefined) === undefined ? "0" : "1")).join("");
    };
    expect(draw(7)).toBe(draw(7));
    expect(draw(7)).not.toBe(draw(8));
    expect(draw(7).replaceAll("0", "").length / 4_000).toBeCloseTo(0.25, 1);
  });

  test.each([
    [{ kind: "explode" }, "fault.kind"],
    [{ kind: "latency" }, "fault.latencyMs"],
    [{ kind: "reset", latencyMs: 5 }, "fault.latencyMs"],
    [{ kind: "latency", latencyMs: 60_001 }, "fault.latencyMs"],
    [{ kind: "reset", probability: 1.5 }, "fault.probability"],
    [{ kind: "reset", probability: Number.NaN }, "fault.probability"],
    [{ kind: "reset", count: 0 }, "fault.count"],
    [{ kind: "http-5xx", status: 501 }, "fault.status"],
    [{ kind: "reset", status: 500 }, "fault.status"],
    [{ kind: "reset", extra: 1 }, "extra"],
    [[], "fault"],
  ])("that are malformed are refused: %j", (rule, place) => {
    expect(() => new Faults().add(rule as unknown as FaultRule)).toThrow(place);
  });

  test("are at most 100", () => {
    const faults = new Faults();
    for (let i = 0; i < 100; i++) faults.add({ kind: "reset" });
    expect(() => faults.add({ kind: "reset" })).toThrow("at most 100");
  });
});

describe("the administration", () => {
  const admin = async (
    path: string,
    options: { readonly method?: string; readonly body?: unknown; readonly token?: string } = {},
  ): Promise<[number, unknown]> => {
    const { method = "GET", body, token = emulator.adminToken ?? "" } = options;
    const response = await fetch(`${emulator.endpoint}/_fengni/${path}`, {
      method,
      headers: { "X-Fengni-Admin-Token": token },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return [response.status, await response.json()];
  };

  test("adds, lists and removes faults", async () => {
    const [status, added] = await admin("faults", { method: "POST", body: { kind: "throttle", count: 3 } });
    const { id } = added as { id: number };
    expect(status).toBe(200);
    expect(await admin("faults")).toEqual([200, { faults: [{ kind: "throttle", count: 3, id, happened: 0 }] }]);
    expect(codeOf(await call(emulator, "ListKeys", {}, AT_START))).toBe("RequestLimitExceeded");
    expect((await admin(`faults?id=${id + 1}`, { method: "DELETE" }))[0]).toBe(404);
    expect(await admin(`faults?id=${id}`, { method: "DELETE" })).toEqual([200, { faults: [] }]);
    await admin("faults", { method: "POST", body: { kind: "hang" } });
    expect(await admin("faults", { method: "DELETE" })).toEqual([200, { faults: [] }]);
  });

  test("moves the clock, and sets it wrong", async () => {
    expect(await admin("clock", { method: "POST", body: { advanceMs: 0, skewSeconds: -60 } })).toEqual([
      200,
      { nowMs: START_SECONDS * 1000, skewSeconds: -60 },
    ]);
  });

  test.each([
    ["faults", "POST", "{", 400],
    ["faults", "POST", { kind: "explode" }, 400],
    ["faults", "POST", { kind: "throttle", action: "NoSuchAction" }, 400],
    ["faults?id=x", "DELETE", undefined, 400],
    ["clock", "POST", { advanceMs: -1 }, 400],
    ["clock", "POST", { skewSeconds: 1.5 }, 400],
    ["clock", "DELETE", undefined, 405],
  ])("refuses what is malformed: %s %s %j", async (path, method, body, status) => {
    const response = await fetch(`${emulator.endpoint}/_fengni/${path}`, {
      method,
      headers: { "X-Fengni-Admin-Token": emulator.adminToken ?? "" },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    expect(response.status).toBe(status);
  });

  test("tells by how much the clock can be set wrong", async () => {
    const [status, answer] = await admin("clock", { method: "POST", body: { skewSeconds: 1e9 } });
    expect([status, answer]).toEqual([
      400,
      { error: "clock.skewSeconds expected a number from -316224000 to 316224000" },
    ]);
  });

  test.each(["", "wrong", "0".repeat(64)])("refuses the token %j", async (token) => {
    expect((await admin("faults", { token }))[0]).toBe(401);
    expect((await admin("faults", { method: "POST", body: { kind: "hang" }, token }))[0]).toBe(401);
    expect(emulator.faults.list()).toEqual([]);
  });

  test("is not there unless it is switched on", async () => {
    const plain = await startEmulator();
    expect(plain.adminToken).toBeUndefined();
    expect((await fetch(`${plain.endpoint}/_fengni/faults`)).status).toBe(404);
    await plain.close();
  });
});
