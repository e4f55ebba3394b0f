// Fills or opens one store of the local KMS and prints what it measured, as JSON. A process of its own, so that memory and caches are
// of this store alone; plain JavaScript, so that no loader's memory is counted. It needs --expose-gc.
import { statSync } from "node:fs";
import { LocalKms, openFileKeystore } from "@fengni/backend-local";

const [mode, count, clock, path] = process.argv.slice(2);
const KEYS = Number(count);
const LOOK_UPS = 10_000;
const PAGE = 200;
const BATCH = 1000;
const PAGE_REPEATS = 5;
const rootKey = { key: new Uint8Array(32).fill(9) };

function usedBytes() {
  globalThis.gc();
  const { heapUsed, external, arrayBuffers: _ } = process.memoryUsage();
  return heapUsed + external;
}

/** Milliseconds, by the wall or of processor time. */
async function timed(work) {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return clock === "cpu" ? (user + system) / 1000 : performance.now() - start;
}

/** Every key has an alias, a description and a tag, as keys in use do. */
async function fill(kms) {
  for (let first = 0; first < KEYS; first += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, KEYS - first) }, (_, index) =>
      kms.createKey({ alias: `key-${first + index}`, description: "a key", tags: { team: `${index % 7}` } }),
    );
    await Promise.all(batch);
  }
}

/** Spread over all keys, each at most once: nothing is found because it was just looked up. */
function spread(index) {
  return (index * 7919) % KEYS;
}

async function lookUps(kms) {
  const { resourceIds: ids } = await kms.describeResourceIds();
  const figures = [];
  const page = async (offset) => (await kms.listKeyDetail({ order: "oldest-first", offset, limit: PAGE })).keys;
  const each = async (name, work) => {
    const ms = await timed(async () => {
      for (let i = 0; i < LOOK_UPS; i++) await work(spread(i));
    });
    figures.push([name, (1000 * ms) / LOOK_UPS, "us"]);
  };
  await each("describe", (at) => kms.describeKey({ keyId: ids[at].id }));
  await each("find by alias", (at) => kms.describeKey({ keyId: `key-${at}` }));
  const places = { beginning: 0, middle: KEYS / 2, end: KEYS - PAGE };
  for (const [place, offset] of Object.entries(places)) {
    const times = [];
    for (let i = 0; i < PAGE_REPEATS; i++) times.push(await timed(() => page(offset)));
    figures.push([`page of ${PAGE}, ${place}`, times.sort((a, b) => a - b)[PAGE_REPEATS >> 1], "ms"]);
  }
  return figures;
}

async function memory() {
  const before = usedBytes();
  const kms = new LocalKms();
  const ms = await timed(() => fill(kms));
  const bytes = usedBytes() - before;
  const figures = [
    ["make a key", (1000 * ms) / KEYS, "us"],
    ["memory a key", bytes / KEYS, "B"],
    ...(await lookUps(kms)),
  ];
  await kms.close();
  return figures;
}

async function fillFile() {
  const kms = await openFileKeystore(path, { rootKey, create: true });
  const ms = await timed(() => fill(kms));
  await kms.close();
  return [
    ["make a key, 1,000 at a time", (1000 * ms) / KEYS, "us"],
    ["disk a key", statSync(path).size / KEYS, "B"],
  ];
}

async function openFile() {
  const before = usedBytes();
  let kms;
  const openMs = await timed(async () => {
    kms = await openFileKeystore(path, { rootKey });
  });
  const firstMs = await timed(() => kms.describeKey({ keyId: `key-${KEYS - 1}` }));
  const figures = [["open", openMs, "ms"], ["first key by alias", firstMs, "ms"], ...(await lookUps(kms))];
  figures.push(["memory a key, after all were listed", (usedBytes() - before) / KEYS, "B"]);
  await kms.close();
  return figures;
}

const modes = { memory, fill: fillFile, file: openFile };
process.stdout.write(JSON.stringify(await modes[mode]()));
