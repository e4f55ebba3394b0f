// Area: encryption under post-quantum keys opens as it was, under its own key only.
import { mlKemPublicKeyFromSpki } from "@fengni/crypto/ml-kem";
import { randomBytes } from "@fengni/crypto/random";
import { sealUnder } from "../calls.js";
import type { Area, Kit } from "../kit.js";
import {
  CHANGED_CODES,
  containsBytes,
  extensions,
  fewFlips,
  hasRepeatedMask,
  noise,
  splices,
  truncations,
} from "../mutations.js";

/** Ciphertexts longer than this are changed and cut at a part of their bytes: each opening takes a while. */
const WHOLE_BYTES = 300;
/** Of the cuts between two ciphertexts, one of so many is tried. */
const STRIDE = 16;

async function seal(kit: Kit, plaintext: Uint8Array, which: 0 | 1 = 0): Promise<Uint8Array> {
  const call = kit.provider.postQuantumEncrypt({ keyId: kit.postQuantum[which], plaintext });
  return (await kit.check.resolves(call, "postQuantumEncrypt")).ciphertext;
}

async function sizes(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const limit = provider.capabilities.maxPlaintextBytes;
  for (const keyId of kit.postQuantum) {
    const full = await provider.resolveKeyId(keyId);
    for (const size of new Set([1, 16, 31, 32, 33, limit - 1, limit].filter((n) => n >= 1 && n <= limit))) {
      const what = `${size} bytes`;
      const plaintext = randomBytes(size);
      const sealed = await check.resolves(provider.postQuantumEncrypt({ keyId, plaintext }), `encrypt of ${what}`);
      check.equal(sealed.keyId, full, `postQuantumEncrypt of ${what}: its keyId`);
      const { ciphertext } = sealed;
      const opened = await check.resolves(provider.postQuantumDecrypt({ ciphertext }), `decrypt of ${what}`);
      check.sameBytes(opened.plaintext, plaintext, `${what}, decrypted`);
      check.equal(opened.keyId, full, `postQuantumDecrypt of ${what}: its keyId`);
      if (size >= 16) check.isTrue(!containsBytes(ciphertext, plaintext), "expected no plaintext in a ciphertext");
    }
  }
  const [keyId] = kit.postQuantum;
  await check.refuses(provider.postQuantumEncrypt({ keyId, plaintext: new Uint8Array(0) }), "encrypt of no bytes");
  await check.refuses(provider.postQuantumDecrypt({ ciphertext: new Uint8Array(0) }), "decrypt of no bytes");
  const more = provider.postQuantumEncrypt({ keyId, plaintext: new Uint8Array(limit + 1) });
  await check.rejects(more, ["ERR_LIMIT"], "postQuantumEncrypt of more than the limit");
}

async function neverTheSame(kit: Kit): Promise<void> {
  const samples = [];
  const seen = new Set<string>();
  const same = randomBytes(32);
  for (let i = 0; i < 30; i++) {
    const plaintext = randomBytes(32);
    samples.push({ plaintext, ciphertext: await seal(kit, plaintext) });
    seen.add((await seal(kit, same)).join());
  }
  kit.check.equal(seen.size, 30, "postQuantumEncrypt: different ciphertexts of one plaintext");
  kit.check.isTrue(!hasRepeatedMask(samples), "postQuantumEncrypt: expected a secret of its own for each ciphertext");
}

async function tampering(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const a = await seal(kit, randomBytes(32));
  const b = await seal(kit, randomBytes(32));
  const c = await seal(kit, randomBytes(32), 1);
  const cuts = [...splices(a, b), ...splices(a, c)].filter((_mutation, index) => index % STRIDE === 0);
  const changed = [...fewFlips(a, WHOLE_BYTES), ...truncations(a, WHOLE_BYTES), ...extensions(a), ...noise(), ...cuts];
  for (const { name, bytes } of changed) {
    await check.rejects(provider.postQuantumDecrypt({ ciphertext: bytes }), CHANGED_CODES, `decrypt of ${name}`);
  }
}

async function foreignKeys(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const [keyId, other] = kit.postQuantum;
  const plaintext = randomBytes(32);
  const ciphertext = await seal(kit, plaintext);
  const opened = await check.resolves(provider.postQuantumDecrypt({ ciphertext, keyId }), "decrypt with its key named");
  check.sameBytes(opened.plaintext, plaintext, "decrypt with its key named");
  const foreign = provider.postQuantumDecrypt({ ciphertext, keyId: other });
  await check.rejects(foreign, ["ERR_NO_MATCHING_KEY"], "postQuantumDecrypt with another key named");
  const unknown = provider.postQuantumDecrypt({ ciphertext, keyId: "no-such-key-of-the-kit" });
  await check.rejects(unknown, ["ERR_KEY_NOT_FOUND", "ERR_NO_MATCHING_KEY"], "decrypt with an unknown key named");
  const missing = provider.postQuantumEncrypt({ keyId: "no-such-key-of-the-kit", plaintext });
  await check.rejects(missing, ["ERR_KEY_NOT_FOUND"], "postQuantumEncrypt under an unknown key");
}

async function keptApart(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const sealed = await sealUnder(kit, kit.symmetric[0]);
  const codes = [...CHANGED_CODES, "ERR_KEY_USAGE"];
  const symmetric = provider.postQuantumDecrypt({ ciphertext: sealed.ciphertext });
  await check.rejects(symmetric, codes, "postQuantumDecrypt of a symmetric ciphertext");
  const postQuantum = provider.decrypt({ ciphertext: await seal(kit, randomBytes(32)) });
  await check.rejects(postQuantum, codes, "decrypt of a post-quantum ciphertext");
}

async function publicKeys(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  for (const keyId of kit.postQuantum) {
    const key = await check.resolves(provider.getPublicKey({ keyId }), "getPublicKey");
    check.equal(key.keySpec, "ML_KEM_768", "getPublicKey: its keySpec");
    check.equal(key.keyUsage, "post-quantum-encrypt-decrypt", "getPublicKey: its keyUsage");
    const read = async (): Promise<Uint8Array> => mlKemPublicKeyFromSpki("ML-KEM-768", key.publicKey);
    await check.resolves(read(), "getPublicKey: a SubjectPublicKeyInfo of ML-KEM-768");
  }
}

const needs = { operations: ["postQuantumEncrypt", "postQuantumDecrypt"] } as const;

/** Post-quantum encryption. */
export const postQuantum: Area = {
  name: "post-quantum",
  checks: [
    { name: "every size opens as it was", needs, run: sizes },
    { name: "no ciphertext and no secret comes twice", needs, run: neverTheSame },
    { name: "a change of any byte is refused", needs, run: tampering },
    { name: "another key than the one named does not open", needs, run: foreignKeys },
    {
      name: "post-quantum and symmetric ciphertexts are kept apart",
      needs: { operations: [...needs.operations, "encrypt", "decrypt"] },
      run: keptApart,
    },
    {
      name: "the public key is one of ML-KEM-768",
      needs: { operations: [...needs.operations, "getPublicKey"] },
      run: publicKeys,
    },
  ],
};
