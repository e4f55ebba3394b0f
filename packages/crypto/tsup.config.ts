import { defineConfig } from "tsup";
import { buildOf } from "../../tsup.base.js";

export default defineConfig(
  buildOf({
    "aes-cbc": "src/aes-cbc.ts",
    "aes-gcm": "src/aes-gcm.ts",
    bytes: "src/bytes.ts",
    ecdsa: "src/ecdsa.ts",
    errors: "src/errors.ts",
    hash: "src/hash.ts",
    "hybrid-kem": "src/hybrid-kem.ts",
    "ml-dsa": "src/ml-dsa.ts",
    "ml-kem": "src/ml-kem.ts",
    random: "src/random.ts",
    report: "src/report.ts",
    rsa: "src/rsa.ts",
    secret: "src/secret.ts",
    "slh-dsa": "src/slh-dsa.ts",
    sm2: "src/sm2.ts",
    sm4: "src/sm4.ts",
    "sm4-ccm": "src/sm4-ccm.ts",
    "sm4-gcm": "src/sm4-gcm.ts",
  }),
);
