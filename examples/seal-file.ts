// Seal a file as a stream, and open it again: memory stays small however large the file is.
import { randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { LocalKeyAdmin, LocalKeyProvider, LocalKms } from "@fengni/backend-local";
import { Envelope, inspect, providerKey } from "@fengni/core";
import { createDecryptStream, createEncryptStream } from "@fengni/core/node";

const folder = await mkdtemp(join(tmpdir(), "fengni-example-"));
const [plain, sealed, opened] = ["plain", "sealed", "opened"].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
await writeFile(plain, randomBytes(5_000_000));

const kms = new LocalKms();
await new LocalKeyAdmin(kms).createKey({ alias: "files" });
const envelope = new Envelope({ wrappingKeys: [providerKey(new LocalKeyProvider(kms), "files")] });
const encryptionContext = { file: "backup-2026-11" };

await pipeline(
  createReadStream(plain),
  createEncryptStream(envelope, { encryptionContext }),
  createWriteStream(sealed),
);
// Until this pipeline has ended well, what it wrote must not be trusted: only then was the message whole.
await pipeline(
  createReadStream(sealed),
  createDecryptStream(envelope, { encryptionContext }),
  createWriteStream(opened),
);

const beginning = createReadStream(sealed, { end: 4095 });
const header = inspect(Buffer.concat(await beginning.toArray()));
console.log(`sealed with ${header.suite.name}, context ${JSON.stringify(header.encryptionContext)}`);
console.log(`${(await stat(plain)).size} bytes in, ${(await stat(opened)).size} bytes out`);

await kms.close();
await rm(folder, { recursive: true });
