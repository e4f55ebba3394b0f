// One way of the soak test, in a process of its own: mode, messages, tenants, where to write the heap snapshot.
import { writeHeapSnapshot } from "node:v8";
import { BranchKeyring, branchKeyStore, Envelope, memoryBranchKeyRecords } from "../packages/core/dist/index.js";
import { dataKeyOf } from "./soak-keys.mjs";

const [mode, messagesText, tenantsText, snapshot] = process.argv.slice(2);
const messages = Number(messagesText);
const tenants = Number(tenantsText);

/** Serial numbers of the data keys that were handed out. */
let serial = 0;
const calls = { generateDataKey: 0, wrapDataKey: 0, unwrapDataKey: 0 };
const countingKey = {
  name: "counting",
  async generateDataKey() {
    calls.generateDataKey += 1;
    const ciphertext = new Uint8Array(4);
    new DataView(ciphertext.buffer).setUint32(0, serial);
    return { dataKey: dataKeyOf(serial++), encryptedDataKey: edk(ciphertext) };
  },
  async wrapDataKey() {
    throw new Error("nothing is wrapped here");
  },
  async unwrapDataKey({ encryptedDataKey: { providerId, ciphertext } }) {
    if (providerId !== "counting") return undefined;
    calls.unwrapDataKey += 1;
    return dataKeyOf(new DataView(ciphertext.buffer, ciphertext.byteOffset).getUint32(0));
  },
};

function edk(ciphertext) {
  return { providerId: "counting", providerInfo: new Uint8Array([1]), ciphertext };
}

const ids = Array.from({ length: tenants }, (_, i) => `tenant-${i}`);
const { envelope, close } = await made();
const heap = [];
const before = { ...calls };
const started = performance.now();
let openCalls = 0;
const plaintext = new Uint8Array(64).fill(7);
for (let i = 0; i < messages; i++) {
  const encryptionContext = { tenant: ids[i % tenants] };
  const message = await envelope.encrypt(plaintext, { encryptionContext });
  const atOpening = total();
  const opened = await envelope.decrypt(message, { encryptionContext });
  openCalls += total() - atOpening;
  if (opened.plaintext.length !== 64 || opened.plaintext[63] !== 7) throw new Error("opened something else");
  if (i % Math.ceil(messages / 10) === 0 || i === messages - 1) {
    globalThis.gc();
    heap.push(process.memoryUsage().heapUsed);
  }
}
const seconds = (performance.now() - started) / 1000;
const sealCalls = total() - openCalls - before.generateDataKey - before.unwrapDataKey;
close();
// What was given back is overwritten by nobody: a key that was not wiped is found.
for (let i = 0; i < 3; i++) globalThis.gc();
const controlSerial = 0x7fffffff;
globalThis.control = dataKeyOf(controlSerial);
writeHeapSnapshot(snapshot);
process.send({ mode, messages, tenants, seconds, heap, sealCalls, openCalls, keys: serial, controlSerial });
setInterval(() => {}, 1 << 30);

function total() {
  return calls.generateDataKey + calls.unwrapDataKey;
}

async function made() {
  if (mode === "none") return opened(new Envelope({ wrappingKeys: [countingKey] }));
  if (mode === "cache") {
    return opened(new Envelope({ wrappingKeys: [countingKey], cache: { maxAgeMs: 3_600_000, maxEntries: tenants } }));
  }
  if (mode !== "branch") throw new Error(`unknown mode ${mode}`);
  const store = branchKeyStore({ wrappingKey: countingKey, records: memoryBranchKeyRecords() });
  for (const id of ids) await store.create(id);
  const ring = new BranchKeyring({
    store,
    branchKeyIdFor: ({ tenant }) => tenant,
    ttlMs: 3_600_000,
    maxEntries: tenants,
  });
  const { envelope, close } = opened(new Envelope({ wrappingKeys: [ring] }));
  return {
    envelope,
    close() {
      close();
      ring.close();
    },
  };
}

function opened(envelope) {
  return { envelope, close: () => envelope.close() };
}
