// How an emulator ends: what it accepted is finished, what would not end is broken off, and nothing is left behind.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "@fengni/backend-local";
import { afterAll, expect, test } from "vitest";
import { assembleEmulator, type Emulator, type Handle } from "../src/assemble.js";
import { startEmulator } from "../src/emulator.js";
import { handle } from "../src/handlers/index.js";
import { CREDENTIALS, call, codeOf, faultRecorded, RawConnection, signedRequest } from "./server-support.js";

const folder = mkdtempSync(join(tmpdir(), "fengni-emulator-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** An emulator whose requests wait until they are let go. */
async function startHeld(options: object = {}): Promise<{
  readonly emulator: Emulator;
  readonly arrived: Promise<void>;
  readonly letGo: () => void;
}> {
  let letGo = (): void => undefined;
  let arrive = (): void => undefined;
  const gate = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const held: Handle = async (...request) => {
    arrive();
    await gate;
    return handle(...request);
  };
  return { emulator: await assembleEmulator({ credentials: CREDENTIALS, ...options }, held), arrived, letGo };
}

test("a request in flight is finished, recorded, and its connection ended", async () => {
  const path = join(folder, "in-flight.log");
  const { emulator, arrived, letGo } = await startHeld({ audit: { path } });
  const connection = new RawConnection(emulator.port).write(signedRequest(emulator.port, "CreateKey", { Alias: "a" }));
  await arrived;
  const closing = emulator.close();
  const refused = new RawConnection(emulator.port);
  await refused.closed;
  letGo();
  const answer = await connection.answer();
  expect(codeOf(answer)).toBe("");
  expect(answer?.headers["connection"]).toBe("close");
  await closing;
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { action: string; code: string }).action)).toEqual(["CreateKey"]);
  await expect(emulator.kms.listKeys()).rejects.toMatchObject({ code: "ERR_CLOSED" });
});

test("a request whose body is still on its way is finished", async () => {
  const emulator = await startEmulator({ credentials: CREDENTIALS });
  const request = signedRequest(emulator.port, "ListKeys", {});
  const connection = new RawConnection(emulator.port).write(request.slice(0, -1));
  await call(emulator, "ListKeys");
  const closing = emulator.close();
  connection.write(request.slice(-1));
  expect(codeOf(await connection.answer())).toBe("");
  await closing;
});

test("a request whose client has left is finished before the keys are wiped", async () => {
  const { emulator, arrived, letGo } = await startHeld();
  const connection = new RawConnection(emulator.port).write(signedRequest(emulator.port, "CreateKey", { Alias: "a" }));
  await arrived;
  connection.socket.destroy();
  await connection.closed;
  const closing = emulator.close();
  setImmediate(letGo);
  await closing;
  expect(emulator.audit.recent().at(-1)).toMatchObject({ action: "CreateKey", code: "" });
});

test("what does not end is broken off after the time for it", async () => {
  const { emulator, arrived, letGo } = await startHeld({ closeTimeoutMs: 50 });
  const connection = new RawConnection(emulator.port).write(signedRequest(emulator.port, "ListKeys", {}));
  await arrived;
  const closing = emulator.close();
  expect(await connection.answer()).toBeUndefined();
  letGo();
  await closing;
  expect(emulator.audit.recent().at(-1)?.code).not.toBe("");
});

test("idle and unused connections, hanging requests and waiting ones do not hold it up", async () => {
  const clock = new ManualClock(1_800_000_000_000);
  const at = { timestampSeconds: 1_800_000_000 };
  const emulator = await startEmulator({ credentials: CREDENTIALS, clock, closeTimeoutMs: 600_000 });
  const unused = new RawConnection(emulator.port);
  const idle = new RawConnection(emulator.port).write(signedRequest(emulator.port, "ListKeys", {}, at));
  await idle.answer();
  emulator.faults.add({ kind: "hang", count: 1 });
  const hangs = faultRecorded(emulator, "hang");
  const hanging = new RawConnection(emulator.port).write(signedRequest(emulator.port, "ListKeys", {}, at));
  await hangs;
  const log = await fetch(`${emulator.consoleUrl}/events`);
  await emulator.close();
  await Promise.all([unused.closed, idle.closed, hanging.closed]);
  expect(await log.text()).toContain(`"fault":"hang"`);
});

test("it may be closed again, while it closes and afterwards", async () => {
  const emulator = await startEmulator();
  await Promise.all([emulator.close(), emulator.close()]);
  await emulator.close();
  await expect(fetch(emulator.endpoint)).rejects.toThrow();
});

test("a port that is taken is told, and nothing is left open", async () => {
  let isFree = false;
  // Between the two another process may take the port, but hardly each time.
  for (let attempt = 0; attempt < 5 && !isFree; attempt++) {
    const first = await startEmulator();
    await expect(startEmulator({ port: first.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    await first.close();
    const second = await startEmulator({ port: first.port }).catch((error: unknown) => {
      expect(error).toMatchObject({ code: "EADDRINUSE" });
      return undefined;
    });
    isFree = second?.port === first.port;
    await second?.close();
  }
  expect(isFree).toBe(true);
});

test("keys in a file are there again", async () => {
  const data = { path: join(folder, "keys.fengni"), rootKey: { key: new Uint8Array(32).fill(7) } };
  const first = await startEmulator({ credentials: CREDENTIALS, data });
  expect(codeOf(await call(first, "CreateKey", { Alias: "kept" }))).toBe("");
  await first.close();
  const second = await startEmulator({ credentials: CREDENTIALS, data });
  expect((await second.kms.listKeys()).total).toBe(1);
  await second.close();
});
