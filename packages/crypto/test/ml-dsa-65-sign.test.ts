import { testSigning } from "./ml-dsa-signing.js";

testSigning({
  set: "ML-DSA-65",
  seed: {
    name: "mldsa_65_sign_seed_test.json",
    count: 105,
    expected: { signed: 83, "by representative": 17, "with randomness": 1, "key refused": 3, "context refused": 1 },
  },
  expanded: {
    name: "mldsa_65_sign_noseed_test.json",
    count: 78,
    expected: { signed: 62, "by representative": 10, "with randomness": 1, "key refused": 4, "context refused": 1 },
  },
});
