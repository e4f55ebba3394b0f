import { testSigning } from "./ml-dsa-signing.js";

testSigning({
  set: "ML-DSA-87",
  seed: {
    name: "mldsa_87_sign_seed_test.json",
    count: 96,
    expected: { signed: 74, "by representative": 17, "with randomness": 1, "key refused": 3, "context refused": 1 },
  },
  expanded: {
    name: "mldsa_87_sign_noseed_test.json",
    count: 69,
    expected: { signed: 53, "by representative": 10, "with randomness": 1, "key refused": 4, "context refused": 1 },
  },
});
