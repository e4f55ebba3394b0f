// The emulator that fuzz-emulator.mjs sends to: signs requests that are damaged afterwards, and tells its memory.
import { startEmulator } from "../packages/emulator/src/index.ts";
import { CREDENTIALS, call, signedRequest } from "../packages/emulator/test/server-support.ts";

const SIGNED = 50;
const emulator = await startEmulator({ credentials: CREDENTIALS, headersTimeoutMs: 1_000, requestTimeoutMs: 2_000 });
let internalErrors = 0;
emulator.audit.subscribe(({ code }) => {
  if (code === "InternalError") internalErrors += 1;
});

async function memory() {
  const answer = await call(emulator, "ListKeys");
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const handles = process.getActiveResourcesInfo().length;
  return { rss, heapUsed, external, handles, internalErrors, isServing: answer?.status === 200 };
}

process.on("message", async (question) => {
  if (question === "memory") process.send(await memory());
  else process.send(Array.from({ length: SIGNED }, () => signedRequest(emulator.port, "ListKeys", { Limit: 1 })));
});
process.on("disconnect", () => process.exit());
process.send({ port: emulator.port });
