// Sends malformed requests to an emulator in a process of its own, and says what its memory was before and after:
// node scripts/fuzz-emulator.mjs [--requests 100000] [--seed 1] [--connections 8]. Fails when the server does, when a request is
// answered with an internal error, or when memory grew by more than a tenth and 16 MiB.
import { fork } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { register } from "tsx/esm/api";
import { ensureInstalled, root } from "./workspace.mjs";

const SERVER = fileURLToPath(new URL("./fuzz-emulator-server.mjs", import.meta.url));
const MAX_GROWTH = 1.1;
const MAX_GROWTH_MIB = 16;
/** Requests before memory is looked at: compiled code and pools take their room first. */
const WARM_UP = 0.1;

const { values } = parseArgs({
  options: {
    requests: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    connections: { type: "string", default: "8" },
  },
});
const [requests, seed, connections] = [values.requests, values.seed, values.connections].map(Number);
if (![requests, seed, connections].every((number) => Number.isSafeInteger(number) && number > 0)) {
  console.error("usage: fuzz-emulator.mjs [--requests NUMBER] [--seed NUMBER] [--connections NUMBER]");
  process.exit(2);
}

ensureInstalled();
register();
const { chanceOf, malformed } = await import(`${root}/packages/emulator/test/malformed-requests.ts`);

const server = fork(SERVER, [], { execArgv: ["--conditions=@fengni/source", "--import", "tsx", "--expose-gc"] });
server.once("exit", (code) => {
  console.error(`the server ended with code ${code}`);
  process.exit(1);
});

/** Asks the server's process; one question at a time. */
async function ask(question) {
  server.send(question);
  return (await once(server, "message"))[0];
}

const { port } = (await once(server, "message"))[0];
const chance = chanceOf(seed);
const statuses = new Map();
let signed = [];
let left = 0;

/** Sends one request on a connection of its own. @returns the status of the first answer, or `none` */
function send(bytes) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    let received = "";
    const end = () => {
      socket.destroy();
      resolve(received);
    };
    socket.setEncoding("latin1");
    socket.on("data", (text) => {
      received += text;
      if (received.includes("\r\n\r\n")) end();
    });
    socket.on("end", end).on("error", end).on("close", end);
    socket.end(bytes, "latin1");
  });
}

async function sendUntilDone() {
  while (left > 0) {
    left -= 1;
    const answer = await send(malformed(signed[left % signed.length], chance));
    const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? "none";
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
}

async function sendMany(count) {
  // A signature is good for five minutes.
  for (let sent = 0; sent < count; ) {
    const part = Math.min(5_000, count - sent);
    signed = await ask("sign");
    left = part;
    await Promise.all(Array.from({ length: connections }, sendUntilDone));
    sent += part;
    console.error(`${sent} of ${count}`);
  }
}

await sendMany(Math.ceil(requests * WARM_UP));
const before = await ask("memory");
const started = performance.now();
await sendMany(requests);
const seconds = (performance.now() - started) / 1000;
const after = await ask("memory");

const mib = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
console.log(`${requests} malformed requests in ${seconds.toFixed(1)} s, seed ${seed}`);
for (const [status, count] of [...statuses].sort()) console.log(`  status ${status}: ${count}`);
for (const name of ["rss", "heapUsed", "external", "handles"]) {
  const show = name === "handles" ? String : mib;
  console.log(`  ${name.padEnd(10)} before ${show(before[name])}, after ${show(after[name])}`);
}
const isFlat = ["rss", "heapUsed"].every((name) => after[name] <= before[name] * MAX_GROWTH + MAX_GROWTH_MIB * 2 ** 20);
const complaints = [
  ...(isFlat ? [] : ["memory grew"]),
  ...(after.internalErrors > 0 ? [`${after.internalErrors} requests were answered with an internal error`] : []),
  ...(after.isServing ? [] : ["the server no longer answers"]),
];
for (const complaint of complaints) console.log(`FAILED ${complaint}`);
if (complaints.length === 0) console.log("The server is up, and memory is flat.");
process.exit(complaints.length === 0 ? 0 : 1);
