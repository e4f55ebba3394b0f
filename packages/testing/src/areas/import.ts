// Area: key material that somebody brings. It is wrapped with the parameters' public key by another implementation.
import { type ImportParameters, type ImportWrappingAlgorithm, isFengniError, type KeyDescription } from "@fengni/core";
import { randomBytes } from "@fengni/crypto/random";
import { importRsaPublicKey } from "@fengni/crypto/rsa";
import { sealUnder } from "../calls.js";
import { paddingFor } from "../independent.js";
import type { Area, Kit } from "../kit.js";
import { CHANGED_CODES, splices } from "../mutations.js";

const HOUR_MS = 3_600_000;
const WRAPPINGS: readonly ImportWrappingAlgorithm[] = ["RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1", "RSAES_PKCS1_V1_5"];

/** Length of the material of a key. */
const materialBytes = ({ keySpec }: KeyDescription): number => (keySpec === "SM4" ? 16 : 32);

async function wrap(
  parameters: ImportParameters,
  wrapping: ImportWrappingAlgorithm,
  material: Uint8Array,
): Promise<Uint8Array> {
  const padding = paddingFor(wrapping) ?? "oaep-sha256";
  return Uint8Array.from(await importRsaPublicKey(parameters.publicKey).encrypt(padding, material));
}

/** The first wrapping that the backend offers. */
async function offered(kit: Kit, keyId: string): Promise<ImportWrappingAlgorithm> {
  for (const wrapping of WRAPPINGS) {
    try {
      await kit.admin.getParametersForImport(keyId, wrapping);
      return wrapping;
    } catch (error) {
      if (!isFengniError(error, "ERR_NOT_SUPPORTED")) return wrapping;
    }
  }
  kit.check.isTrue(false, "getParametersForImport: expected at least one wrapping algorithm to be supported");
  return "RSAES_OAEP_SHA_256";
}

async function bring(
  kit: Kit,
  keyId: string,
  material: Uint8Array,
  options: { readonly validToMs?: number; readonly wrapping?: ImportWrappingAlgorithm } = {},
): Promise<void> {
  const wrapping = options.wrapping ?? (await offered(kit, keyId));
  const parameters = await kit.check.resolves(
    kit.admin.getParametersForImport(keyId, wrapping),
    "getParametersForImport",
  );
  const encryptedKeyMaterial = await wrap(parameters, wrapping, material);
  const { importToken } = parameters;
  const validity = options.validToMs === undefined ? {} : { validToMs: options.validToMs };
  await kit.admin.importKeyMaterial({ keyId, encryptedKeyMaterial, importToken, ...validity });
}

async function expectWaiting(kit: Kit, keyId: string, ciphertext?: Uint8Array): Promise<void> {
  const { check, provider, admin } = kit;
  const described = await check.resolves(admin.describeKey(keyId), "describeKey");
  check.equal(described.state, "pending-import", "describeKey: its state without material");
  check.tells(described.versions, 0, "describeKey: its versions without material");
  if (kit.claims("generateDataKey")) {
    const dataKey = provider.generateDataKey({ keyId, numberOfBytes: 32 });
    await check.rejects(dataKey, ["ERR_KEY_STATE"], "generateDataKey without material");
  }
  if (kit.claims("encrypt")) {
    const encrypt = provider.encrypt({ keyId, plaintext: randomBytes(16) });
    await check.rejects(encrypt, ["ERR_KEY_STATE"], "encrypt without material");
  }
  if (ciphertext === undefined) return;
  await check.rejects(provider.decrypt({ ciphertext }), ["ERR_KEY_STATE"], "decrypt without material");
}

async function roundTrip(kit: Kit): Promise<void> {
  const { check, provider, admin } = kit;
  for (const wrapping of WRAPPINGS) {
    const key = await kit.createKey({ origin: "external" });
    const { keyId } = key;
    check.equal(key.origin, "external", "createKey: its origin");
    await expectWaiting(kit, keyId);
    const material = randomBytes(materialBytes(key));
    try {
      await bring(kit, keyId, material, { wrapping });
    } catch (error) {
      const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
      if (isFengniError(cause, "ERR_NOT_SUPPORTED") && wrapping !== (await offered(kit, keyId))) continue;
      throw error;
    }
    const described = await check.resolves(admin.describeKey(keyId), "describeKey");
    check.equal(described.state, "enabled", "describeKey: its state with imported material");
    check.tells(described.versions, 1, "describeKey: its versions with imported material");
    check.equal(described.validToMs, undefined, "describeKey: no validToMs");
    const { ciphertext, plaintext } = await sealUnder(kit, keyId);
    const opened = await check.resolves(provider.decrypt({ ciphertext, keyId }), "decrypt with imported material");
    check.sameBytes(opened.plaintext, plaintext, "what imported material sealed, opened");
    await check.resolves(admin.deleteImportedKeyMaterial(keyId), "deleteImportedKeyMaterial");
    await expectWaiting(kit, keyId, ciphertext);
    const other = bring(kit, keyId, randomBytes(materialBytes(key)), { wrapping });
    await check.rejects(other, ["ERR_KEY_INVALID"], "import of other material than before");
    await expectWaiting(kit, keyId, ciphertext);
    await check.resolves(bring(kit, keyId, material, { wrapping }), "import of the same material again");
    const again = await check.resolves(provider.decrypt({ ciphertext, keyId }), "decrypt after importing again");
    check.sameBytes(again.plaintext, plaintext, "what was sealed before, opened after importing again");
  }
}

async function keptApart(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const [a, b] = [await kit.createKey({ origin: "external" }), await kit.createKey({ origin: "external" })];
  const material = randomBytes(materialBytes(a));
  for (const { keyId } of [a, b]) await check.resolves(bring(kit, keyId, material), "importKeyMaterial");
  const { ciphertext } = await sealUnder(kit, a.keyId);
  const call = provider.decrypt({ ciphertext, keyId: b.keyId });
  await check.rejects(call, ["ERR_NO_MATCHING_KEY"], "decrypt with another key named that has the same material");
  // Only here can it be seen whether the key id inside a ciphertext is authenticated: the material alone would open it.
  const other = (await sealUnder(kit, b.keyId)).ciphertext;
  for (const { name, bytes } of [...splices(other, ciphertext), ...splices(ciphertext, other)]) {
    await check.rejects(
      provider.decrypt({ ciphertext: bytes }),
      CHANGED_CODES,
      `decrypt, two keys of one material, ${name}`,
    );
  }
}

async function refusals(kit: Kit): Promise<void> {
  const { check, admin } = kit;
  const key = await kit.createKey({ origin: "external" });
  const { keyId } = key;
  const wrapping = await offered(kit, keyId);
  const right = materialBytes(key);
  for (const length of [1, right - 1, right + 1, 2 * right]) {
    const call = bring(kit, keyId, randomBytes(length));
    await check.refuses(call, `import of ${length} bytes of material`);
  }
  const parameters = await check.resolves(admin.getParametersForImport(keyId, wrapping), "getParametersForImport");
  check.equal(parameters.keyId, keyId, "getParametersForImport: its keyId");
  const encryptedKeyMaterial = await wrap(parameters, wrapping, randomBytes(right));
  const { importToken } = parameters;
  const noWrap = admin.importKeyMaterial({ keyId, importToken, encryptedKeyMaterial: randomBytes(256) });
  await check.refuses(noWrap, "import of bytes that do not unwrap");
  const changed = Uint8Array.from(importToken, (byte, index) => (index === 0 ? byte ^ 1 : byte));
  for (const token of [changed, importToken.slice(1), randomBytes(32)]) {
    const call = admin.importKeyMaterial({ keyId, encryptedKeyMaterial, importToken: token });
    await check.refuses(call, "import with another token");
  }
  const other = await kit.createKey({ origin: "external" });
  const foreign = admin.importKeyMaterial({ keyId: other.keyId, encryptedKeyMaterial, importToken });
  await check.refuses(foreign, "import with the token of another key");
  const past = admin.importKeyMaterial({ keyId, encryptedKeyMaterial, importToken, validToMs: key.createdAtMs - 1 });
  await check.refuses(past, "import of material that has expired already");
  await expectWaiting(kit, keyId);
  await expectWaiting(kit, other.keyId);
}

async function origins(kit: Kit): Promise<void> {
  const { check, admin } = kit;
  const own = await kit.createKey();
  const call = admin.getParametersForImport(own.keyId, "RSAES_OAEP_SHA_256");
  await check.rejects(call, ["ERR_KEY_USAGE"], "getParametersForImport of a key of the provider's own");
  const remove = admin.deleteImportedKeyMaterial(own.keyId);
  await check.rejects(remove, ["ERR_KEY_USAGE"], "deleteImportedKeyMaterial of a key of the provider's own");
  const external = await kit.createKey({ origin: "external" });
  await check.resolves(bring(kit, external.keyId, randomBytes(materialBytes(external))), "importKeyMaterial");
  if (!kit.administers("rotateKey")) return;
  await check.rejects(admin.rotateKey(external.keyId), ["ERR_KEY_USAGE"], "rotateKey of an external key");
}

async function expiry(kit: Kit): Promise<void> {
  const { check, provider, admin, subject } = kit;
  const key = await kit.createKey({ origin: "external" });
  const { keyId } = key;
  const material = randomBytes(materialBytes(key));
  await check.resolves(bring(kit, keyId, material, { validToMs: key.createdAtMs + HOUR_MS }), "import for an hour");
  const { ciphertext, plaintext } = await sealUnder(kit, keyId);
  const described = await check.resolves(admin.describeKey(keyId), "describeKey");
  // Services keep whole seconds.
  const difference = Math.abs((described.validToMs ?? 0) - (key.createdAtMs + HOUR_MS));
  check.isTrue(difference < 1000, "describeKey: expected validToMs as it was asked for");
  await subject.clock?.advance(HOUR_MS - 60_000);
  await check.resolves(provider.decrypt({ ciphertext }), "decrypt a minute before the material expires");
  await subject.clock?.advance(120_000);
  await expectWaiting(kit, keyId, ciphertext);
  await check.resolves(bring(kit, keyId, material), "import of the same material after it expired");
  const opened = await check.resolves(provider.decrypt({ ciphertext }), "decrypt after importing again");
  check.sameBytes(opened.plaintext, plaintext, "what was sealed before the material expired");
  await subject.clock?.advance(2 * HOUR_MS);
  await check.resolves(provider.decrypt({ ciphertext }), "decrypt with material that does not expire");
}

async function parametersExpire(kit: Kit): Promise<void> {
  const { check, admin, subject } = kit;
  const key = await kit.createKey({ origin: "external" });
  const { keyId } = key;
  const wrapping = await offered(kit, keyId);
  const parameters = await check.resolves(admin.getParametersForImport(keyId, wrapping), "getParametersForImport");
  check.isTrue(parameters.validToMs > key.createdAtMs, "getParametersForImport: expected validToMs in the future");
  const encryptedKeyMaterial = await wrap(parameters, wrapping, randomBytes(materialBytes(key)));
  await subject.clock?.advance(parameters.validToMs - key.createdAtMs + 60_000);
  const call = admin.importKeyMaterial({ keyId, encryptedKeyMaterial, importToken: parameters.importToken });
  await check.refuses(call, "import with expired parameters");
  await expectWaiting(kit, keyId);
}

const operations = ["decrypt"] as const;
const admin = [
  "createKey",
  "describeKey",
  "getParametersForImport",
  "importKeyMaterial",
  "deleteImportedKeyMaterial",
] as const;

/** Import of key material. */
export const importing: Area = {
  name: "import",
  checks: [
    { name: "material comes, goes, and only the same comes again", needs: { operations, admin }, run: roundTrip },
    { name: "the same material does not make two keys one", needs: { operations, admin }, run: keptApart },
    { name: "wrong material, tokens and times are refused", needs: { operations, admin }, run: refusals },
    { name: "own keys take no material, external ones do not rotate", needs: { operations, admin }, run: origins },
    { name: "material expires", needs: { operations, admin, parts: ["clock"] }, run: expiry },
    { name: "parameters expire", needs: { operations, admin, parts: ["clock"] }, run: parametersExpire },
  ],
};
