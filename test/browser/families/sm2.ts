// SM2 in the browser: signatures and encryption by vectors/gm, and signing, encryption and key exchange between the implementations.
// It must not know how an implementation does it.
import { concatBytes, hexToBytes, utf8ToBytes } from "@fengni/crypto/bytes";
import { type Sm2Implementation, sm2Implementations } from "@fengni/crypto/sm2";
import {
  type Emit,
  equal,
  expectNames,
  flipped,
  type GmCase,
  patternOf,
  refused,
  runGm,
  runOwn,
  same,
} from "../harness.js";

interface SignatureCase extends GmCase {
  readonly publicKey: string;
  readonly id: string;
  readonly msg: string;
  readonly signatureDer: string;
  readonly za?: string;
  readonly e?: string;
  readonly r?: string;
  readonly s?: string;
}

interface EncryptionCase extends GmCase {
  readonly privateKey: string;
  readonly publicKey: string;
  readonly msg?: string;
  readonly c1c3c2?: string;
  readonly c1c2c3?: string;
  readonly asn1?: string;
}

/** What is not even of the format, as opposed to changed. */
const MALFORMED: readonly (string | undefined)[] = [
  "ASN.1: short",
  "ASN.1: C3 is 31 bytes",
  "ASN.1: C2 and C3 exchanged",
];

async function vectors(emit: Emit, implementation: Sm2Implementation): Promise<void> {
  await runGm<SignatureCase>(emit, {
    name: "sm2-sign.json",
    implementation: implementation.name,
    expected: { valid: 18, invalid: 17, "key refused": 2 },
    check: async (test) => {
      const read = () => implementation.importPublicKey(hexToBytes(test.publicKey));
      if (test.why?.startsWith("public key") === true) {
        await refused(read, "ERR_KEY_INVALID");
        return "key refused";
      }
      const key = read();
      const [message, signature, userId] = [hexToBytes(test.msg), hexToBytes(test.signatureDer), hexToBytes(test.id)];
      same(key.identityDigest(userId), hexToBytes(test.za ?? ""), "Z");
      const isValid = test.result === "valid";
      equal(key.verify(message, signature, { userId }), isValid, "message");
      equal(key.verifyDigest(hexToBytes(test.e ?? ""), signature), isValid, "digest");
      if (isValid) {
        const raw = hexToBytes(`${test.r}${test.s}`);
        equal(key.verify(message, raw, { userId, format: "raw" }), true, "raw");
      }
      return test.result ?? "";
    },
  });
  const expected = {
    c1c3c2: { valid: 17, refused: 8 },
    c1c2c3: { valid: 17 },
    asn1: { valid: 17, refused: 8, malformed: 3 },
  };
  for (const format of ["c1c3c2", "c1c2c3", "asn1"] as const) {
    await runGm<EncryptionCase>(emit, {
      name: "sm2-encrypt.json",
      remark: `(${format})`,
      implementation: implementation.name,
      filter: (test) => test[format] !== undefined,
      expected: expected[format],
      check: async (test) => {
        const key = implementation.importPrivateScalar(hexToBytes(test.privateKey));
        same(key.publicKey.point, hexToBytes(test.publicKey), "public key");
        const open = () => key.decrypt(hexToBytes(test[format] ?? ""), { format });
        if (test.result === "valid") {
          same(open(), hexToBytes(test.msg ?? ""), "message");
          return "valid";
        }
        const isMalformed = MALFORMED.includes(test.why);
        await refused(open, isMalformed ? "ERR_CIPHERTEXT_INVALID" : "ERR_AUTHENTICATION");
        return isMalformed ? "malformed" : "refused";
      },
    });
  }
}

async function roundTrips(
  emit: Emit,
  implementation: Sm2Implementation,
  all: readonly Sm2Implementation[],
): Promise<void> {
  const key = implementation.generateKey();
  const text = utf8ToBytes("a message");
  const cases = all.flatMap((other) => {
    const theirs = other.importPrivateKey(key.exportPkcs8Pem());
    const half = other.importPublicKey(key.publicKey.exportSpki());
    const signs = (): void => {
      for (const userId of ["", "张三", "1234567812345678"]) {
        const signature = key.sign(text, { userId });
        equal(half.verify(text, signature, { userId }), true, "verifies");
        equal(half.verify(text, signature, { userId: "another" }), false, "verifies for another id");
        equal(half.verify(flipped(text, 0), signature, { userId }), false, "verifies what was changed");
      }
    };
    const encrypts = async (): Promise<void> => {
      for (const length of [1, 31, 32, 33, 10_000]) {
        for (const format of ["c1c3c2", "asn1"] as const) {
          const ciphertext = key.publicKey.encrypt(patternOf(length), { format });
          same(theirs.decrypt(ciphertext, { format }), patternOf(length), format);
          const changed = flipped(ciphertext, ciphertext.length - 1);
          await refused(() => theirs.decrypt(changed, { format }), "ERR_AUTHENTICATION");
        }
      }
    };
    const exchanges = async (): Promise<void> => {
      const peer = other.generateKey();
      const ours = key.beginExchange("initiator", { userId: "A" });
      const answer = peer.beginExchange("responder", { userId: "B" });
      const a = ours.finish({ publicKey: peer.publicKey, ephemeral: answer.ephemeral, userId: "B" }, 48);
      const b = answer.finish({ publicKey: key.publicKey, ephemeral: ours.ephemeral, userId: "A" }, 48);
      same(a.key, b.key, "key");
      equal([a.verifyConfirmation(b.confirmation), b.verifyConfirmation(a.confirmation)], [true, true], "confirmed");
      const off = concatBytes(Uint8Array.of(4), new Uint8Array(64).fill(1));
      const wrong = key.beginExchange("initiator");
      await refused(() => wrong.finish({ publicKey: peer.publicKey, ephemeral: off }, 16), "ERR_KEY_INVALID");
    };
    return [
      [`signs what ${other.name} verifies`, signs],
      [`encrypts what ${other.name} decrypts`, encrypts],
      [`agrees on a key with ${other.name}`, exchanges],
    ] as const;
  });
  await runOwn(emit, "SM2: between implementations", implementation.name, Object.fromEntries(cases));
}

export async function sm2(emit: Emit): Promise<void> {
  const implementations = sm2Implementations();
  expectNames(implementations, ["wasm", "noble"]);
  for (const implementation of implementations) {
    await vectors(emit, implementation);
    await roundTrips(emit, implementation, implementations);
  }
}
