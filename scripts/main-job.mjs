// The main job, end to end: a key in a local key management service, a real file sealed under it, opened, compared, and
// refused once a byte of it was changed. Everything goes through the public API of the built packages.
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { copyFile, mkdir, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { LocalKeyAdmin, LocalKeyProvider, openFileKeystore } from "@fengni/backend-local";
import { Envelope, inspect, isFengniError, providerKey } from "@fengni/core";
import { createDecryptStream, createEncryptStream } from "@fengni/core/node";
import { root } from "./workspace.mjs";

const folder = join(root, "fengni-demo");
const [rootKeyFile, keystoreFile] = [join(folder, "safe", "root.key"), join(folder, "safe", "keystore")];
const [sealedFile, openedFile, tamperedFile] = ["node.sealed", "node.opened", "node.tampered"].map((name) =>
  join(folder, name),
);
const shown = (path) => relative(root, path);
const mega = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

async function sha256(path) {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function timed(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

await mkdir(join(folder, "safe"), { recursive: true, mode: 0o700 });

console.log("\n1. A local key management service with one key, its store sealed under a root key");
// A second run keeps the keys of the first: what was sealed under them stays open.
const isFirst = !existsSync(keystoreFile);
if (isFirst) await writeFile(rootKeyFile, randomBytes(32), { mode: 0o600 });
const kms = await openFileKeystore(keystoreFile, { rootKey: { key: await readFile(rootKeyFile) }, create: true });
const admin = new LocalKeyAdmin(kms);
if (isFirst) await admin.createKey({ alias: "demo", description: "key of the main job" });
const key = await admin.describeKey("demo");
console.log(`   key ${key.keyId} (${key.keySpec}), alias demo, in ${shown(keystoreFile)}`);

// The program that runs this script: a real file, there on every machine.
const plainFile = process.execPath;
const { size } = await stat(plainFile);
const encryptionContext = { purpose: "demo", file: "node", version: process.version };
const envelope = new Envelope({ wrappingKeys: [providerKey(new LocalKeyProvider(kms), "demo")] });

console.log(`\n2. Sealing ${plainFile}, ${mega(size)}`);
const sealing = await timed(() =>
  pipeline(
    createReadStream(plainFile),
    createEncryptStream(envelope, { encryptionContext }),
    createWriteStream(sealedFile),
  ),
);
const sealedSize = (await stat(sealedFile)).size;
console.log(`   ${shown(sealedFile)}, ${mega(sealedSize)}, in ${sealing.toFixed(2)} s (${mega(size / sealing)}/s)`);

console.log("\n3. Its header, which is not secret and needs no key to read");
const beginning = createReadStream(sealedFile, { end: 64 * 1024 - 1 });
const header = inspect(Buffer.concat(await beginning.toArray()));
console.log(`   message version ${header.version}, suite ${header.suite.id} ${header.suite.name}`);
console.log(`   message id ${Buffer.from(header.messageId).toString("hex")}`);
for (const [name, value] of Object.entries(header.encryptionContext)) console.log(`   context ${name} = ${value}`);
for (const { providerId, providerInfo, ciphertext } of header.encryptedDataKeys) {
  console.log(`   data key wrapped by ${providerId}, key ${Buffer.from(providerInfo)}, ${ciphertext.length} bytes`);
}
console.log(`   ${header.contentType}, frames of ${header.frameLength} bytes, header of ${header.headerLength} bytes`);

console.log("\n4. Opening it, and comparing");
const opening = await timed(() =>
  pipeline(
    createReadStream(sealedFile),
    createDecryptStream(envelope, { encryptionContext }),
    createWriteStream(openedFile),
  ),
);
const [before, after] = [await sha256(plainFile), await sha256(openedFile)];
if (before !== after) throw new Error("what was opened is not what was sealed");
console.log(`   ${shown(openedFile)}, in ${opening.toFixed(2)} s (${mega(size / opening)}/s)`);
console.log(`   SHA-256 of both: ${after}`);

console.log("\n5. Changing one bit in the middle of the sealed file");
await copyFile(sealedFile, tamperedFile);
const handle = await open(tamperedFile, "r+");
const position = Math.floor(sealedSize / 2);
const byte = Buffer.alloc(1);
await handle.read(byte, 0, 1, position);
byte[0] ^= 1;
await handle.write(byte, 0, 1, position);
await handle.close();
const decrypting = createDecryptStream(envelope, { encryptionContext });
try {
  const source = createReadStream(tamperedFile);
  decrypting.resume();
  await pipeline(source, decrypting);
  await once(decrypting, "end");
  throw new Error("a changed file was opened");
} catch (error) {
  if (!isFengniError(error, "ERR_AUTHENTICATION")) throw error;
  console.log(`   refused: ${error.message} (${error.code})`);
}
await rm(tamperedFile);
envelope.close();
await kms.close();

const options = `--keystore ${shown(keystoreFile)} --keystore-key ${shown(rootKeyFile)}`;
console.log(`
All of it lies in ${shown(folder)}. What to try next:
   npm run --silent fengni -- inspect ${shown(sealedFile)}
   npm run --silent fengni -- decrypt ${shown(sealedFile)} -o ${shown(folder)}/node.again ${options} --context purpose=demo
   npm run --silent fengni -- encrypt README.md -o ${shown(folder)}/README.sealed --key demo ${options} --context purpose=docs
   npm run --silent fengni -- help
   npm test                  everything that must hold
   npm run bench             how fast it is, side by side with others
The examples are in examples/, the guides in docs/. In real life the root key does not lie beside the store.`);
