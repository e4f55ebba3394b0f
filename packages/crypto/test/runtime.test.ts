import { afterEach, describe, expect, it, vi } from "vitest";
import { hexToBytes } from "../src/bytes.js";
import { isFengniError } from "../src/errors.js";
import { runtimeReport } from "../src/report.js";
import { type Candidate, createSelector } from "../src/runtime.js";
import { assertSame, codeOf } from "./wycheproof.js";

describe("createSelector", () => {
  const candidate = (name: string, create: () => string | undefined, probe: () => boolean): Candidate<string> => ({
    name,
    create,
    probe,
  });
  const right = (name: string): Candidate<string> =>
    candidate(
      name,
      () => name,
      () => true,
    );

  it("takes the first that is present and answers right, and says why", () => {
    const selector = createSelector([
      candidate(
        "absent",
        () => undefined,
        () => true,
      ),
      candidate(
        "wrong",
        () => "wrong",
        () => false,
      ),
      candidate(
        "throwing",
        () => "throwing",
        () => {
          throw new Error("no");
        },
      ),
      candidate(
        "broken",
        () => {
          throw new Error("no");
        },
        () => true,
      ),
      right("good"),
      right("spare"),
    ]);
    expect(selector.chosen()).toBe("good");
    expect(selector.available()).toEqual(["good", "spare"]);
    expect(selector.explain()).toEqual({
      chosen: "good",
      available: ["good", "spare"],
      reason:
        "best one that passed its known-answer test; absent is not in this runtime; wrong failed its known-answer test; " +
        "throwing failed its known-answer test; broken failed its known-answer test",
    });
  });

  it("probes each candidate once, and those behind the chosen one only when asked", () => {
    const probes: string[] = [];
    const noting = (name: string): Candidate<string> =>
      candidate(
        name,
        () => name,
        () => {
          probes.push(name);
          return true;
        },
      );
    const selector = createSelector([noting("a"), noting("b")]);
    expect(probes).toEqual([]);
    selector.chosen();
    selector.chosen();
    expect(probes).toEqual(["a"]);
    selector.available();
    selector.explain();
    expect(probes).toEqual(["a", "b"]);
  });

  it("has nothing to choose when nothing is right", () => {
    const selector = createSelector([
      candidate(
        "wrong",
        () => "wrong",
        () => false,
      ),
    ]);
    expect(selector.chosen()).toBeUndefined();
    expect(selector.explain()).toEqual({
      chosen: "none",
      available: [],
      reason: "no implementation; wrong failed its known-answer test",
    });
  });
});

/** How many entries are tested here; those after them are tested beside their primitives. */
const BASICS = 5;

describe("runtimeReport", () => {
  it("says what Node offers", () => {
    const report = runtimeReport().slice(0, BASICS);
    expect(report.map(({ primitive, chosen, available }) => [primitive, chosen, available])).toEqual([
      ["AES-GCM", "node", ["node", "webcrypto", "noble"]],
      ["SHA-2, HMAC, HKDF", "node", ["node", "noble"]],
      ["random", "node", ["node", "webcrypto"]],
      ["ECDSA", "node", ["node", "noble"]],
      ["RSA", "node", ["node", "webcrypto"]],
    ]);
    for (const { reason } of report) expect(reason).toBe("best one that passed its known-answer test");
  });
});

describe("a runtime without node:crypto", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
    vi.resetModules();
  });

  function hide(web: Partial<Crypto> | undefined): void {
    vi.resetModules();
    vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
    vi.stubGlobal("crypto", web);
  }

  const chosenBy = (report: { readonly runtimeReport: typeof runtimeReport }): readonly string[] =>
    report
      .runtimeReport()
      .slice(0, BASICS)
      .map(({ chosen }) => chosen);

  it("uses WebCrypto and noble, and gives the same results", async () => {
    hide(globalThis.crypto);
    const report = await import("../src/report.js");
    expect(chosenBy(report)).toEqual(["webcrypto", "noble", "webcrypto", "noble", "webcrypto"]);
    expect(report.runtimeReport()[0]?.reason).toBe(
      "best one that passed its known-answer test; node is not in this runtime",
    );
    const { importAesGcmKey } = await import("../src/aes-gcm.js");
    const sealed = await importAesGcmKey(new Uint8Array(32)).seal(
      new Uint8Array(12),
      new Uint8Array(0),
      new Uint8Array(16),
    );
    assertSame(sealed.ciphertext, hexToBytes("cea7403d4d606b6e074ec5d3baf39d18"));
    const { randomBytes } = await import("../src/random.js");
    for (const length of [0, 16, 65_536, 2 ** 20]) {
      const bytes = randomBytes(length);
      expect(bytes).toHaveLength(length);
      // Each piece of getRandomValues was filled.
      if (length > 16) expect(bytes.subarray(length - 64).some((byte) => byte !== 0)).toBe(true);
    }
    const { generateEcdsaKey, createEcdsaVerifier } = await import("../src/ecdsa.js");
    const key = generateEcdsaKey("P-256");
    expect(createEcdsaVerifier("P-256", key.publicKey).verify(key.createSigner().sign())).toBe(true);
  });

  it("reads and writes hex and base64 without Buffer", async () => {
    const key = Uint8Array.from({ length: 200 }, (_, index) => (index * 37) & 255);
    const [hex, base64] = [Buffer.from(key).toString("hex"), Buffer.from(key).toString("base64")];
    hide(globalThis.crypto);
    vi.stubGlobal("Buffer", undefined);
    const bytes = await import("../src/bytes.js");
    const results = [
      bytes.bytesToHex(key),
      bytes.bytesToBase64(key),
      bytes.hexToBytes(hex),
      bytes.base64ToBytes(base64),
    ];
    vi.unstubAllGlobals();
    expect(results).toEqual([hex, base64, key, key]);
  });

  it("keeps to noble where WebCrypto has no subtle, as outside of secure contexts, and has no RSA", async () => {
    const { getRandomValues } = globalThis.crypto;
    hide({ getRandomValues: getRandomValues.bind(globalThis.crypto) as Crypto["getRandomValues"] });
    const report = await import("../src/report.js");
    expect(chosenBy(report)).toEqual(["noble", "noble", "webcrypto", "noble", "none"]);
    const { importRsaPublicKey } = await import("../src/rsa.js");
    expect(await codeOf(() => importRsaPublicKey(""))).toBe("ERR_NOT_SUPPORTED");
  });

  it("refuses to make up randomness", async () => {
    hide(undefined);
    const { randomBytes } = await import("../src/random.js");
    try {
      randomBytes(16);
      expect.unreachable();
    } catch (error) {
      expect(isFengniError(error, "ERR_NOT_SUPPORTED")).toBe(true);
    }
  });

  it("does not believe a source that repeats itself or does nothing", async () => {
    for (const getRandomValues of [(target: Uint8Array) => target, (target: Uint8Array) => target.fill(4)]) {
      hide({ getRandomValues: getRandomValues as Crypto["getRandomValues"] });
      const { randomBytes } = await import("../src/random.js");
      expect(await codeOf(() => randomBytes(16))).toBe("ERR_NOT_SUPPORTED");
    }
  });
});
