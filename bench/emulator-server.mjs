// A server to be measured, as a process: `bare` is node:http with a constant answer, `emulator` the emulator of the built package;
// both say where they are, with requests that were signed for it, and end with whoever started them. `once` starts an emulator, asks
// it once, and ends. Plain JavaScript, so that no loader is measured.
import { createServer } from "node:http";
import { connect } from "node:net";

const REQUESTS = 64;
const CREDENTIAL = { secretId: "AKIDbenchmark", secretKey: "a-secret-of-the-benchmark" };
const OWNER_UIN = "100000000001";
const [kind] = process.argv.slice(2);

/** An account that a policy allows to make data keys: for the root account none would be asked. */
function options(audit) {
  const resource = `qcs::kms:ap-guangzhou:uin/${OWNER_UIN}:key/*`;
  return {
    credentials: {
      ownerUin: OWNER_UIN,
      users: [{ uin: "100000000002", name: "app", policies: ["app"], keys: [CREDENTIAL] }],
    },
    policies: {
      app: {
        version: "2.0",
        statement: [
          { effect: "allow", action: ["kms:GenerateDataKey"], resource: [resource] },
          { effect: "deny", action: ["kms:ScheduleKeyDeletion"], resource: ["*"] },
        ],
      },
    },
    ...audit,
  };
}

function signedRequests(createSigner, port, KeyId, count) {
  const signer = createSigner(CREDENTIAL);
  const timestampSeconds = Math.floor(Date.now() / 1000);
  return Array.from({ length: count }, (_, i) => {
    const body = JSON.stringify({
      KeyId,
      KeySpec: "AES_256",
      EncryptionContext: JSON.stringify({ tenant: String(i) }),
    });
    const signed = { "content-type": "application/json", host: `127.0.0.1:${port}` };
    const headers = {
      ...signed,
      ...signer.sign({ method: "POST", headers: signed, payload: Buffer.from(body), timestampSeconds }),
      "X-TC-Action": "GenerateDataKey",
      "X-TC-Version": "2019-01-18",
      "X-TC-Region": "ap-guangzhou",
      "Content-Length": body.length,
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return `POST / HTTP/1.1\r\n${lines.join("")}\r\n${body}`;
  });
}

async function built(name) {
  return import(new URL(`../packages/${name}/dist/index.js`, import.meta.url).href);
}

async function startEmulator(audit, count) {
  const [{ startEmulator: start }, { createSigner }] = await Promise.all([built("emulator"), built("kms-api")]);
  const emulator = await start(options(audit));
  const { keyId } = await emulator.kms.createKey({ alias: "benchmark" });
  return { emulator, requests: signedRequests(createSigner, emulator.port, keyId, count) };
}

async function serveEmulator() {
  const { mkdtempSync, rmSync } = await import("node:fs");
  const { join } = await import("node:path");
  const { tmpdir } = await import("node:os");
  const folder = mkdtempSync(join(tmpdir(), "fengni-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true }));
  const { emulator, requests } = await startEmulator({ audit: { path: join(folder, "audit.log") } }, REQUESTS);
  process.send({ port: emulator.port, requests });
}

/** As long as the emulator's answer. */
async function serveConstant() {
  const { createSigner } = await built("kms-api");
  const base64 = (bytes) => Buffer.alloc(bytes, 7).toString("base64");
  const Response = {
    KeyId: "01234567-89ab-4cde-8f01-23456789abcd",
    Plaintext: base64(32),
    CiphertextBlob: base64(98),
    DataKeyId: "",
    RequestId: "01234567-89ab-4cde-8f01-23456789abcd",
  };
  const body = JSON.stringify({ Response });
  const headers = { "Content-Type": "application/json", "Content-Length": body.length };
  const server = createServer((_request, response) => {
    response.writeHead(200, headers);
    response.end(body);
  });
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    process.send({ port, requests: signedRequests(createSigner, port, Response.KeyId, REQUESTS) });
  });
}

async function askOnce() {
  const { emulator, requests } = await startEmulator({}, 1);
  const socket = connect(emulator.port, "127.0.0.1", () => socket.write(requests[0]));
  const [answer] = await new Promise((resolve) => socket.once("data", (chunk) => resolve([chunk.toString()])));
  // It is not closed in order: that is not measured.
  process.exit(answer.includes('"CiphertextBlob"') ? 0 : 1);
}

process.on("disconnect", () => process.exit());
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => process.exit());
await { bare: serveConstant, emulator: serveEmulator, once: askOnce }[kind]();
