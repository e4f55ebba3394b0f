// Post-quantum algorithms, RSA and ECDSA against the bare calls of node:crypto that one such operation cannot do without, on keys
// that are ready on both sides. Where node:crypto lacks an algorithm the portable implementation stands alone.
import * as nodeCrypto from "node:crypto";
import { generateEcdsaKey, importEcdsaPublicKey } from "@fengni/crypto/ecdsa";
import { mlDsaImplementations } from "@fengni/crypto/ml-dsa";
import { mlKemImplementations } from "@fengni/crypto/ml-kem";
import { importRsaPrivateKey, importRsaPublicKey } from "@fengni/crypto/rsa";
import type { Arm, Comparison } from "./harness.js";

type KeyPair = Record<"publicKey" | "privateKey", nodeCrypto.KeyObject>;

/** What newer versions of node:crypto have and the types of the oldest do not. */
interface NewNodeCrypto {
  generateKeyPairSync(type: string): KeyPair;
  encapsulate?(key: nodeCrypto.KeyObject): { readonly sharedKey: Buffer; readonly ciphertext: Buffer };
  decapsulate(key: nodeCrypto.KeyObject, ciphertext: Uint8Array): Buffer;
}

const node = nodeCrypto as unknown as NewNodeCrypto;
const { encapsulate } = node;
const MESSAGE = Buffer.alloc(64, 7);

/** An operation by the bare call, where there is one, and by ours, each on a key of its own; both are made when an arm begins. */
interface Operation {
  readonly name: string;
  readonly bare: (() => () => unknown) | undefined;
  readonly ours: () => () => unknown;
}

function arm(prepare: () => () => unknown): Arm {
  return async () => {
    const work = prepare();
    return (count) => {
      for (let i = 0; i < count; i++) work();
    };
  };
}

function compare(operations: readonly Operation[]): Comparison {
  const bareName = ({ name }: Operation): string => `bare node:crypto: ${name}`;
  return {
    rounds: 7,
    roundMs: 400,
    arms: Object.fromEntries(
      operations.flatMap((operation) => [
        ...(operation.bare === undefined ? [] : [[bareName(operation), arm(operation.bare)]]),
        [operation.name, arm(operation.ours)],
      ]),
    ),
    lines: (line) =>
      operations.flatMap((operation) =>
        operation.bare === undefined
          ? [line(operation.name)]
          : [line(bareName(operation)), line(operation.name, bareName(operation))],
      ),
  };
}

/** The best implementation of those that there are. */
function best<Implementation>(implementations: readonly Implementation[]): Implementation {
  return implementations[0] as Implementation;
}

/** The bare operation, where this Node has post-quantum algorithms. */
function where(prepare: () => () => unknown): Operation["bare"] {
  return encapsulate === undefined ? undefined : prepare;
}

const mlKem = best(mlKemImplementations());
const mlDsa = best(mlDsaImplementations());

/** ML-KEM-768 and ML-DSA-65, in operations a second. */
export const pq: Comparison = compare([
  {
    name: "ML-KEM-768 key generation",
    bare: where(() => () => node.generateKeyPairSync("ml-kem-768")),
    ours: () => () => mlKem.generateKey("ML-KEM-768"),
  },
  {
    name: "ML-KEM-768 encapsulation",
    bare: where(() => {
      const { publicKey } = node.generateKeyPairSync("ml-kem-768");
      return () => encapsulate?.(publicKey);
    }),
    ours: () => {
      const key = mlKem.importPublicKey("ML-KEM-768", mlKem.generateKey("ML-KEM-768").publicKey);
      return () => key.encapsulate();
    },
  },
  {
    name: "ML-KEM-768 decapsulation",
    bare: where(() => {
      const { privateKey, publicKey } = node.generateKeyPairSync("ml-kem-768");
      const ciphertext = encapsulate?.(publicKey).ciphertext as Buffer;
      return () => node.decapsulate(privateKey, ciphertext);
    }),
    ours: () => {
      const key = mlKem.generateKey("ML-KEM-768");
      const { ciphertext } = mlKem.importPublicKey("ML-KEM-768", key.publicKey).encapsulate();
      return () => key.decapsulate(ciphertext);
    },
  },
  {
    name: "ML-DSA-65 key generation",
    bare: where(() => () => node.generateKeyPairSync("ml-dsa-65")),
    ours: () => () => mlDsa.generateKey("ML-DSA-65"),
  },
  {
    name: "ML-DSA-65 signing 64 B",
    bare: where(() => {
      const { privateKey } = node.generateKeyPairSync("ml-dsa-65");
      return () => nodeCrypto.sign(null, MESSAGE, privateKey);
    }),
    ours: () => {
      const key = mlDsa.generateKey("ML-DSA-65");
      return () => key.sign(MESSAGE);
    },
  },
  {
    name: "ML-DSA-65 verifying 64 B",
    bare: where(() => {
      const { privateKey, publicKey } = node.generateKeyPairSync("ml-dsa-65");
      const signature = nodeCrypto.sign(null, MESSAGE, privateKey);
      return () => nodeCrypto.verify(null, MESSAGE, publicKey, signature);
    }),
    ours: () => {
      const key = mlDsa.generateKey("ML-DSA-65");
      const publicKey = mlDsa.importPublicKey("ML-DSA-65", key.publicKey);
      const signature = key.sign(MESSAGE);
      return () => publicKey.verify(MESSAGE, signature);
    },
  },
]);

function rsaPair(): KeyPair {
  return nodeCrypto.generateKeyPairSync("rsa", { modulusLength: 2048 });
}

function pss(key: nodeCrypto.KeyObject): nodeCrypto.SignKeyObjectInput {
  return { key, padding: nodeCrypto.constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
}

function rsaOperations(scheme: "pss-sha256" | "pkcs1-sha256"): readonly Operation[] {
  const forNode = (key: nodeCrypto.KeyObject) => (scheme === "pss-sha256" ? pss(key) : key);
  return [
    {
      name: `RSA-2048 ${scheme} signing 64 B`,
      bare: () => {
        const key = forNode(rsaPair().privateKey);
        return () => nodeCrypto.sign("sha256", MESSAGE, key);
      },
      ours: () => {
        const key = importRsaPrivateKey(rsaPair().privateKey.export({ format: "der", type: "pkcs8" }));
        return () => key.sign(scheme, MESSAGE);
      },
    },
    {
      name: `RSA-2048 ${scheme} verifying 64 B`,
      bare: () => {
        const { privateKey, publicKey } = rsaPair();
        const signature = nodeCrypto.sign("sha256", MESSAGE, forNode(privateKey));
        const key = forNode(publicKey);
        return () => nodeCrypto.verify("sha256", MESSAGE, key, signature);
      },
      ours: () => {
        const { privateKey, publicKey } = rsaPair();
        const signature = nodeCrypto.sign("sha256", MESSAGE, forNode(privateKey));
        const key = importRsaPublicKey(publicKey.export({ format: "der", type: "spki" }));
        return () => key.verify(scheme, MESSAGE, signature);
      },
    },
  ];
}

function ecdsaOperations(curve: "P-256" | "P-384", encoding: "der" | "raw"): readonly Operation[] {
  const hash = curve === "P-256" ? "sha256" : "sha384";
  const pair = (): KeyPair => nodeCrypto.generateKeyPairSync("ec", { namedCurve: curve });
  const forNode = (key: nodeCrypto.KeyObject) =>
    encoding === "der" ? key : ({ key, dsaEncoding: "ieee-p1363" } as const);
  return [
    {
      name: `ECDSA ${curve} ${encoding} signing 64 B`,
      bare: () => {
        const key = forNode(pair().privateKey);
        return () => nodeCrypto.sign(hash, MESSAGE, key);
      },
      ours: () => {
        const key = generateEcdsaKey(curve);
        return () => key.sign(MESSAGE, encoding);
      },
    },
    {
      name: `ECDSA ${curve} ${encoding} verifying 64 B`,
      bare: () => {
        const { privateKey, publicKey } = pair();
        const signature = nodeCrypto.sign(hash, MESSAGE, forNode(privateKey));
        const key = forNode(publicKey);
        return () => nodeCrypto.verify(hash, MESSAGE, key, signature);
      },
      ours: () => {
        const privateKey = generateEcdsaKey(curve);
        const signature = privateKey.sign(MESSAGE, encoding);
        const key = importEcdsaPublicKey(curve, privateKey.publicKey);
        return () => key.verify(MESSAGE, signature, encoding);
      },
    },
  ];
}

/** RSA-2048 signatures, and ECDSA in both encodings, in operations a second. */
export const rsaEcdsa: Comparison = compare([
  ...rsaOperations("pss-sha256"),
  ...rsaOperations("pkcs1-sha256"),
  ...ecdsaOperations("P-256", "der"),
  ...ecdsaOperations("P-256", "raw"),
  ...ecdsaOperations("P-384", "der"),
]);
