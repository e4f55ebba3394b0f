// A thousand malformed requests: each is refused or answered, nothing is done that was not signed for, and the server serves on.
import { expect, test } from "vitest";
import { startEmulator } from "../src/emulator.js";
import { chanceOf, malformed } from "./malformed-requests.js";
import { CREDENTIALS, call, codeOf, RawConnection, signedRequest } from "./server-support.js";

const REQUESTS = 1_000;
const SEED = 20_270_115;

test(`${REQUESTS} malformed requests leave the server up`, async () => {
  const emulator = await startEmulator({ credentials: CREDENTIALS });
  const chance = chanceOf(SEED);
  const statuses = new Map<number | undefined, number>();
  for (let i = 0; i < REQUESTS; i++) {
    const connection = new RawConnection(emulator.port);
    connection.socket.end(malformed(signedRequest(emulator.port, "ListKeys", { Limit: 1 }), chance), "latin1");
    const status = (await connection.answer())?.status;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (status === 200) expect(connection.rest).not.toContain("InternalError");
    connection.socket.destroy();
  }
  expect((await emulator.kms.listKeys()).total).toBe(0);
  for (const status of statuses.keys())
    expect([undefined, 200, 400, 404, 405, 408, 413, 417, 431, 501, 505]).toContain(status);
  // Not all were stopped by one check.
  for (const status of [200, 400]) expect(statuses.get(status) ?? 0).toBeGreaterThan(100);
  expect(emulator.audit.recent().some(({ code }) => code === "InternalError")).toBe(false);
  expect(codeOf(await call(emulator, "ListKeys"))).toBe("");
  await emulator.close();
});
