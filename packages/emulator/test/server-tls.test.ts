// The server over HTTPS: a request, a fault that breaks the connection, and clients that do not speak TLS.
import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Emulator } from "../src/assemble.js";
import { startEmulator } from "../src/emulator.js";
import { CREDENTIALS, RawConnection } from "./server-support.js";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

// The certificate is made by OpenSSL, since Node makes none.
describe.skipIf(!hasOpenssl)("HTTPS", () => {
  const folder = mkdtempSync(join(tmpdir(), "fengni-tls-"));
  let emulator: Emulator;
  let cert: string;

  beforeAll(async () => {
    const [keyPath, certPath] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
    const args = ["req", "-x509", ...curve, "-nodes", "-days", "2", "-keyout", keyPath, "-out", certPath, ...subject];
    const { status, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    cert = readFileSync(certPath, "utf8");
    emulator = await startEmulator({ credentials: CREDENTIALS, tls: { cert, key: readFileSync(keyPath, "utf8") } });
  });
  afterAll(async () => {
    await emulator?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The status of a GET, or the code of what went wrong. */
  function get(path: string): Promise<number | string> {
    return new Promise((resolve) => {
      const sent = request(`${emulator.endpoint}${path}`, { ca: cert, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.on("error", (error) => resolve("code" in error ? String(error.code) : error.message));
      sent.end();
    });
  }

  test("is the endpoint's protocol, and requests know their peer", async () => {
    expect(emulator.endpoint).toBe(`https://127.0.0.1:${emulator.port}`);
    expect(await get("/")).toBe(200);
    expect(emulator.audit.recent().at(-1)).toMatchObject({ code: "MissingParameter", ip: "127.0.0.1" });
    expect(await get("/_fengni/console")).toBe(200);
  });

  test("a key that is none, or another certificate's, is refused, and the error names the option", async () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const other = String(privateKey.export({ type: "pkcs8", format: "pem" }));
    for (const key of ["no key", other]) {
      const starting = startEmulator({ tls: { cert, key } });
      await expect(starting).rejects.toMatchObject({ name: "EmulatorConfigurationError", code: "ERR_ARGUMENT" });
      await expect(starting).rejects.toThrow("tls.key expected");
    }
  });

  test("a fault breaks the connection", async () => {
    emulator.faults.add({ kind: "reset", count: 1 });
    expect(await get("/")).toBe("ECONNRESET");
    expect(await get("/")).toBe(200);
  });

  test("who does not speak TLS is cut off, and others are served", async () => {
    const plain = new RawConnection(emulator.port).write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await plain.closed;
    expect(plain.rest).not.toContain("HTTP/1.1 200");
    expect(await get("/")).toBe(200);
  });
});
