// Area: many calls at once, each of which gets its own answer.
import { bytesToHex } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { encryptIndependently, verifyIndependently } from "../independent.js";
import type { Area, Kit } from "../kit.js";

const PARALLEL = 200;

/** What one caller sealed. */
interface Task {
  readonly index: number;
  readonly keyId: string;
  readonly fullKeyId: string;
  readonly encryptionContext: Readonly<Record<string, string>>;
  readonly plaintext: Uint8Array;
}

async function tasks(kit: Kit): Promise<Task[]> {
  const full: string[] = [];
  for (const keyId of kit.symmetric) full.push(await kit.provider.resolveKeyId(keyId));
  return Array.from({ length: PARALLEL }, (_value, index) => ({
    index,
    keyId: kit.symmetric[index % 2] as string,
    fullKeyId: full[index % 2] as string,
    // Each context is four callers', with either key.
    encryptionContext: { tenant: `tenant ${index >> 2}`, table: "users" },
    plaintext: randomBytes(8 + (index % 40)),
  }));
}

async function seal(kit: Kit, task: Task): Promise<Uint8Array> {
  const { keyId, plaintext, encryptionContext } = task;
  const sealed = await kit.check.resolves(kit.provider.encrypt({ keyId, plaintext, encryptionContext }), "encrypt");
  kit.check.equal(sealed.keyId, task.fullKeyId, `encrypt ${task.index} of ${PARALLEL} at once: its keyId`);
  return sealed.ciphertext;
}

async function open(kit: Kit, task: Task, ciphertext: Uint8Array): Promise<void> {
  const { encryptionContext } = task;
  const opened = await kit.check.resolves(kit.provider.decrypt({ ciphertext, encryptionContext }), "decrypt");
  kit.check.sameBytes(opened.plaintext, task.plaintext, `decrypt ${task.index} of ${PARALLEL} at once`);
  kit.check.equal(opened.keyId, task.fullKeyId, `decrypt ${task.index} of ${PARALLEL} at once: its keyId`);
}

/** What another tenant sealed must not open, also while that tenant opens it. */
async function refuse(kit: Kit, task: Task, ciphertext: Uint8Array): Promise<void> {
  const call = kit.provider.decrypt({
    ciphertext,
    encryptionContext: { ...task.encryptionContext, tenant: "another" },
  });
  await kit.check.rejects(call, ["ERR_AUTHENTICATION"], `decrypt ${task.index} at once under another context`);
}

async function sealsAndOpens(kit: Kit): Promise<void> {
  const all = await tasks(kit);
  const sealed = await Promise.all(all.map(async (task) => ({ task, ciphertext: await seal(kit, task) })));
  const mixed = sealed.flatMap(({ task, ciphertext }) => [
    open(kit, task, ciphertext),
    ...(task.index % 4 === 0 ? [refuse(kit, task, ciphertext)] : []),
    ...(task.index % 2 === 0 ? [seal(kit, task).then((again) => open(kit, task, again))] : []),
  ]);
  await Promise.all(mixed.reverse());
}

async function mixed(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const all = await tasks(kit);
  const dataKeys = new Set<string>();
  const request = async ({ index, keyId, fullKeyId, encryptionContext }: Task): Promise<void> => {
    const numberOfBytes = Math.max(16, provider.capabilities.dataKeyBytes.minimum) + (index % 16);
    const made = await check.resolves(
      provider.generateDataKey({ keyId, numberOfBytes, encryptionContext }),
      "a data key",
    );
    check.equal(made.keyId, fullKeyId, `generateDataKey ${index} at once: its keyId`);
    check.equal(made.plaintext.length, numberOfBytes, `generateDataKey ${index} at once: its length`);
    dataKeys.add(bytesToHex(made.plaintext));
    const opened = await check.resolves(
      provider.decrypt({ ciphertext: made.ciphertext, encryptionContext }),
      "decrypt",
    );
    check.sameBytes(opened.plaintext, made.plaintext, `data key ${index}, opened at once`);
  };
  await Promise.all(all.map(request));
  check.equal(dataKeys.size, PARALLEL, "generateDataKey at once: different data keys");
}

async function signs(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const algorithms = provider.capabilities.signatureAlgorithms;
  const keys = new Map<string, Uint8Array>();
  const work = Array.from({ length: 60 }, async (_value, index) => {
    const algorithm = algorithms[index % algorithms.length] as (typeof algorithms)[number];
    const keyId = kit.signing(algorithm)[Math.floor(index / algorithms.length) % 2] as string;
    const message = randomBytes(40 + index);
    const key = keys.get(keyId) ?? (await check.resolves(provider.getPublicKey({ keyId }), "getPublicKey")).publicKey;
    keys.set(keyId, key);
    const { signature } = await check.resolves(provider.sign({ keyId, algorithm, message }), "sign");
    for (const { implementation, valid } of await verifyIndependently(algorithm, key, message, signature)) {
      check.isTrue(valid, `sign ${index} of 60 at once: expected ${implementation} to verify it`);
    }
  });
  await Promise.all(work);
}

async function decrypts(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const algorithms = provider.capabilities.asymmetricEncryptionAlgorithms;
  const work = Array.from({ length: 40 }, async (_value, index) => {
    const algorithm = algorithms[index % algorithms.length] as (typeof algorithms)[number];
    const keyId = kit.decrypting(algorithm)[Math.floor(index / algorithms.length) % 2] as string;
    const { publicKey } = await check.resolves(provider.getPublicKey({ keyId }), "getPublicKey");
    const plaintext = randomBytes(16 + (index % 16));
    for (const ciphertext of await encryptIndependently(algorithm, publicKey, plaintext)) {
      const opened = await check.resolves(provider.asymmetricDecrypt({ keyId, algorithm, ciphertext }), "decrypt");
      check.sameBytes(opened.plaintext, plaintext, `asymmetricDecrypt ${index} of 40 at once`);
    }
  });
  await Promise.all(work);
}

async function postQuantum(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const work = Array.from({ length: 40 }, async (_value, index) => {
    const keyId = kit.postQuantum[index % 2] as string;
    const plaintext = randomBytes(16 + index);
    const { ciphertext } = await check.resolves(provider.postQuantumEncrypt({ keyId, plaintext }), "encrypt");
    const opened = await check.resolves(provider.postQuantumDecrypt({ ciphertext, keyId }), "decrypt");
    check.sameBytes(opened.plaintext, plaintext, `postQuantumDecrypt ${index} of 40 at once`);
  });
  await Promise.all(work);
}

/** Calls at once. */
export const concurrency: Area = {
  name: "concurrency",
  checks: [
    { name: "200 callers seal and open at once", needs: { operations: ["encrypt", "decrypt"] }, run: sealsAndOpens },
    { name: "200 data keys come and open at once", needs: { operations: ["generateDataKey", "decrypt"] }, run: mixed },
    { name: "signatures are made at once", needs: { operations: ["sign", "getPublicKey"] }, run: signs },
    {
      name: "private keys decrypt at once",
      needs: { operations: ["asymmetricDecrypt", "getPublicKey"] },
      run: decrypts,
    },
    {
      name: "post-quantum keys seal and open at once",
      needs: { operations: ["postQuantumEncrypt", "postQuantumDecrypt"] },
      run: postQuantum,
    },
  ],
};
