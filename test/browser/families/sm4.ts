// SM4 in the browser: blocks, CBC, counter mode, GCM and CCM by the vectors, with every implementation. It must not know how an
// implementation does it.
import { hexToBytes } from "@fengni/crypto/bytes";
import { type Sm4Implementation, sm4Implementations } from "@fengni/crypto/sm4";
import { type Sm4CcmImplementation, sm4CcmImplementations } from "@fengni/crypto/sm4-ccm";
import { sm4GcmImplementations } from "@fengni/crypto/sm4-gcm";
import {
  type Emit,
  expectNames,
  flipped,
  type GmCase,
  patternOf,
  refused,
  runGm,
  runOwn,
  runWycheproof,
  same,
} from "../harness.js";
import { type AeadCase, type AeadGroup, aeadRoundTrips, checkAead } from "./aes-gcm.js";

interface Sm4Case extends GmCase {
  readonly mode: "ecb" | "ecb-iterated" | "cbc" | "cbc-pkcs7" | "ctr" | "gcm" | "ccm";
  readonly iterations?: number;
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly pt: string;
  readonly ct: string;
  readonly tag: string;
}

const NAMES = ["wasm-relaxed", "wasm", "portable"];

async function checkPlain(implementation: Sm4Implementation, test: Sm4Case): Promise<string> {
  const key = implementation.importKey(hexToBytes(test.key));
  const [plaintext, ciphertext] = [hexToBytes(test.pt ?? ""), hexToBytes(test.ct)];
  const iv = hexToBytes(test.iv ?? "");
  if (test.result === "invalid") {
    await refused(() => key.decryptCbc(iv, ciphertext), "ERR_CIPHERTEXT_INVALID");
    return "padding refused";
  }
  switch (test.mode) {
    case "ecb":
      same(key.encryptBlocks(plaintext), ciphertext, "ciphertext");
      same(key.decryptBlocks(ciphertext), plaintext, "plaintext");
      break;
    case "ecb-iterated": {
      // A block encrypted again and again is the chain of CBC over zeros.
      const count = test.iterations ?? 0;
      const chain = key.encryptCbc(plaintext, new Uint8Array(16 * count));
      same(chain.subarray(16 * count - 16, 16 * count), ciphertext, "last block");
      break;
    }
    case "cbc": {
      // Without padding, which is a block more here.
      const padded = key.encryptCbc(iv, plaintext);
      same(padded.subarray(0, ciphertext.length), ciphertext, "ciphertext");
      same(key.decryptCbc(iv, padded), plaintext, "plaintext");
      break;
    }
    case "cbc-pkcs7":
      same(key.encryptCbc(iv, plaintext), ciphertext, "ciphertext");
      same(key.decryptCbc(iv, ciphertext), plaintext, "plaintext");
      break;
    default:
      same(key.ctr(iv, plaintext), ciphertext, "ciphertext");
      same(key.ctr(iv, ciphertext), plaintext, "plaintext");
  }
  return test.mode;
}

async function checkCcm(
  implementation: Sm4CcmImplementation,
  test: Pick<AeadCase, "key" | "iv" | "aad" | "msg" | "ct" | "tag">,
  tagLength: number,
  isValid: boolean,
): Promise<string> {
  const [iv, aad, plaintext] = [hexToBytes(test.iv), hexToBytes(test.aad), hexToBytes(test.msg)];
  const [ciphertext, tag] = [hexToBytes(test.ct), hexToBytes(test.tag)];
  const read = () => implementation.importKey(hexToBytes(test.key), tagLength);
  if (tagLength < 4 || tagLength % 2 !== 0) {
    await refused(read, "ERR_ARGUMENT");
    return "tag length refused";
  }
  const key = read();
  if (iv.length < 7 || iv.length > 13) {
    await refused(() => key.seal(iv, aad, plaintext), "ERR_ARGUMENT");
    await refused(() => key.open(iv, aad, ciphertext, tag), "ERR_ARGUMENT");
    return "nonce refused";
  }
  if (!isValid) {
    await refused(() => key.open(iv, aad, ciphertext, tag), "ERR_AUTHENTICATION");
    return "rejected";
  }
  const sealed = key.seal(iv, aad, plaintext);
  same(sealed.ciphertext, ciphertext, "ciphertext");
  same(sealed.tag, tag, "tag");
  same(key.open(iv, aad, ciphertext, tag), plaintext, "plaintext");
  return "accepted";
}

async function plainModes(emit: Emit): Promise<void> {
  const implementations = sm4Implementations();
  expectNames(implementations, NAMES);
  for (const implementation of implementations) {
    await runGm<Sm4Case>(emit, {
      name: "sm4.json",
      remark: "(ECB, CBC, CTR)",
      implementation: implementation.name,
      filter: ({ mode }) => mode !== "gcm" && mode !== "ccm",
      expected: { ecb: 3, "ecb-iterated": 1, cbc: 5, "cbc-pkcs7": 21, "padding refused": 32, ctr: 8 },
      check: (test) => checkPlain(implementation, test),
    });
  }
}

async function gcm(emit: Emit): Promise<void> {
  const implementations = sm4GcmImplementations();
  expectNames(implementations, NAMES);
  for (const implementation of implementations) {
    const outOfScope = ["nonce refused", "tag refused"];
    await runWycheproof<AeadGroup>(emit, {
      name: "sm4_gcm_test.json",
      implementation: implementation.name,
      expected: { accepted: 38, rejected: 27, "nonce refused": 39 },
      outOfScope,
      check: (test) => checkAead(implementation, test, test.result === "valid"),
    });
    await runGm<Sm4Case>(emit, {
      name: "sm4.json",
      remark: "(GCM)",
      implementation: implementation.name,
      filter: ({ mode }) => mode === "gcm",
      expected: { accepted: 25, rejected: 12, "nonce refused": 4, "tag refused": 4 },
      outOfScope,
      check: (test) => checkAead(implementation, { ...test, msg: test.pt ?? "" }, test.result === "valid"),
    });
  }
  await aeadRoundTrips(emit, "SM4-GCM", implementations, [16]);
}

async function ccm(emit: Emit): Promise<void> {
  const implementations = sm4CcmImplementations();
  expectNames(implementations, NAMES);
  for (const implementation of implementations) {
    const { name } = implementation;
    await runWycheproof<AeadGroup>(emit, {
      name: "sm4_ccm_test.json",
      implementation: name,
      expected: { accepted: 135, rejected: 27, "nonce refused": 13, "tag length refused": 9 },
      check: (test, group) => checkCcm(implementation, test, group.tagSize / 8, test.result === "valid"),
    });
    await runGm<Sm4Case>(emit, {
      name: "sm4.json",
      remark: "(CCM)",
      implementation: name,
      filter: ({ mode }) => mode === "ccm",
      expected: { accepted: 6, rejected: 12 },
      check: (test) => checkCcm(implementation, { ...test, msg: test.pt ?? "" }, 16, test.result === "valid"),
    });
    const cases = [1, 16, 100_000].map((length) => {
      const work = async (): Promise<void> => {
        const sealed = implementation.importKey(patternOf(16)).seal(patternOf(12), patternOf(9), patternOf(length));
        for (const other of implementations) {
          const key = other.importKey(patternOf(16));
          const open = (tag: Uint8Array) => key.open(patternOf(12), patternOf(9), sealed.ciphertext, tag);
          same(open(sealed.tag), patternOf(length), other.name);
          await refused(() => open(flipped(sealed.tag, 3)), "ERR_AUTHENTICATION");
        }
      };
      return [`${length} bytes`, work] as const;
    });
    await runOwn(emit, "SM4-CCM: round trips", name, Object.fromEntries(cases));
  }
}

export async function sm4(emit: Emit): Promise<void> {
  await plainModes(emit);
  await gcm(emit);
  await ccm(emit);
}
