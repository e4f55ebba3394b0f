import { sm2 as peerLibrary } from "sm-crypto-v2";
import { afterEach, describe, expect, it, vi } from "vitest";
import { bytesToHex, concatBytes, hexToBytes } from "../src/bytes.js";
import type { Sm2ExchangePeer } from "../src/sm2.js";
import { bytesOf, checked, mod, numberOf } from "./sm2-vectors.js";
import { assertSame, codeOf } from "./wycheproof.js";

// GB/T 32918.5-2017 annex B: the numbers alone.
const STANDARD = {
  dA: "81eb26e941bb5af16df116495f90695272ae2cd63d6c4ae1678418be48230029",
  dB: "785129917d45a9ea5437a59356b82338eaadda6ceb199088f14ae10defa229b5",
  rA: "d4de15474db74d06491c440d305e012400990f3e390c7e87153c12db2ea60bb3",
  rB: "7e07124814b309489125eaed101113164ebf0f3458c5bd88335c1f9d596243d6",
  RA: "0464ced1bdbc99d590049b434d0fd73428cf608a5db8fe5ce07f15026940bae40e376629c7ab21e7db260922499ddb118f07ce8eaae3e7720afef6a5cc062070c0",
  RB: "04acc27688a6f7b706098bc91ff3ad1bff7dc2802cdb14ccccdb0a90471f9bd7072fedac0494b2ffc4d6853876c79b8f301c6573ad0aa50f39fc87181e1a1b46fe",
  ZA: "3b85a57179e11e7e513aa622991f2ca74d1807a0bd4d4b38f90987a17ac245b1",
  ZB: "79c988d63229d97ef19fe02ca1056e01e6a7411ed24694aa8f834f4a4ab022f7",
  K: "6c89347354de2484c60b4ab1fde4c6e5",
  SB: "d3a0fe15dee185ceae907a6b595cc32a266ed7b3367e9983a896dc32fa20f8eb",
  SA: "18c7894b3816df16cf07b05c5ec0bef5d655d58f779cc1b400a4f3884644db88",
};

describe("with the nonces of the standard", () => {
  afterEach(() => {
    vi.doUnmock("../src/random.js");
    vi.resetModules();
  });

  it("gives key and confirmations of GB/T 32918.5 annex B by each implementation", async () => {
    vi.resetModules();
    const draws: Uint8Array[] = [];
    vi.doMock("../src/random.js", () => ({
      randomBytes: (length: number) => draws.shift() ?? new Uint8Array(length).fill(1),
    }));
    const { sm2Selector } = await import("../src/sm2-select.js");
    const implementations = sm2Selector.available();
    expect(implementations).toHaveLength(3);
    for (const implementation of implementations) {
      const [a, b] = [STANDARD.dA, STANDARD.dB].map((d) => implementation.importPrivateScalar(hexToBytes(d)));
      if (a === undefined || b === undefined) throw new Error();
      expect(bytesToHex(a.publicKey.identityDigest())).toBe(STANDARD.ZA);
      expect(bytesToHex(b.publicKey.identityDigest())).toBe(STANDARD.ZB);
      draws.push(hexToBytes(STANDARD.rA), hexToBytes(STANDARD.rB));
      const [runA, runB] = [a.beginExchange("initiator"), b.beginExchange("responder")];
      expect(bytesToHex(runA.ephemeral)).toBe(STANDARD.RA);
      expect(bytesToHex(runB.ephemeral)).toBe(STANDARD.RB);
      const ofA = runA.finish({ publicKey: b.publicKey, ephemeral: runB.ephemeral }, 16);
      const ofB = runB.finish({ publicKey: a.publicKey, ephemeral: runA.ephemeral }, 16);
      expect([ofA.key, ofB.key].map(bytesToHex)).toEqual([STANDARD.K, STANDARD.K]);
      expect(bytesToHex(ofA.confirmation)).toBe(STANDARD.SA);
      expect(bytesToHex(ofB.confirmation)).toBe(STANDARD.SB);
      expect(ofA.verifyConfirmation(hexToBytes(STANDARD.SB))).toBe(true);
      expect(ofB.verifyConfirmation(hexToBytes(STANDARD.SA))).toBe(true);
      expect(ofA.verifyConfirmation(hexToBytes(STANDARD.SA))).toBe(false);
    }
  });
});

describe.each(checked)("SM2 key exchange by $name", (implementation) => {
  it("agrees with every implementation, whatever the ids and the length", () => {
    const own = implementation.generateKey();
    for (const other of checked) {
      const theirs = other.generateKey();
      for (const [ownId, theirId, length] of [
        ["Alice", "Bob", 1],
        ["", "1234567812345678", 33],
      ] as const) {
        const [run, reply] = [
          own.beginExchange("initiator", { userId: ownId }),
          theirs.beginExchange("responder", { userId: theirId }),
        ];
        const ours = run.finish({ publicKey: theirs.publicKey, ephemeral: reply.ephemeral, userId: theirId }, length);
        const back = reply.finish({ publicKey: own.publicKey, ephemeral: run.ephemeral, userId: ownId }, length);
        expect(ours.key).toHaveLength(length);
        assertSame(ours.key, back.key);
        expect(ours.verifyConfirmation(back.confirmation) && back.verifyConfirmation(ours.confirmation)).toBe(true);
      }
    }
  });

  it("agrees with sm-crypto-v2 in both roles", () => {
    const [theirs, ephemeral] = [peerLibrary.generateKeyPairHex(), peerLibrary.generateKeyPairHex()];
    const own = implementation.generateKey();
    const peer: Sm2ExchangePeer = {
      publicKey: implementation.importPublicKey(hexToBytes(theirs.publicKey)),
      ephemeral: hexToBytes(ephemeral.publicKey),
      userId: "Bob",
    };
    for (const role of ["initiator", "responder"] as const) {
      const run = own.beginExchange(role, { userId: "Alice" });
      const [publicKey, sent] = [own.publicKey.point, run.ephemeral].map(bytesToHex) as [string, string];
      const isRecipient = role === "initiator";
      const expected = peerLibrary.calculateSharedKey(
        theirs,
        ephemeral,
        publicKey,
        sent,
        48,
        isRecipient,
        "Bob",
        "Alice",
      );
      assertSame(run.finish(peer, 48).key, expected);
    }
  });

  it("does not agree with a wrong key, id or role", () => {
    const [a, b] = [implementation.generateKey(), implementation.generateKey()];
    const meet = (role: "initiator" | "responder", userId: string, publicKey = a.publicKey): boolean => {
      const [run, reply] = [a.beginExchange("initiator"), b.beginExchange(role)];
      const ours = run.finish({ publicKey: b.publicKey, ephemeral: reply.ephemeral }, 16);
      const back = reply.finish({ publicKey, ephemeral: run.ephemeral, userId }, 16);
      return bytesToHex(ours.key) === bytesToHex(back.key) || ours.verifyConfirmation(back.confirmation);
    };
    expect(meet("responder", "1234567812345678")).toBe(true);
    expect(meet("initiator", "1234567812345678")).toBe(false);
    expect(meet("responder", "")).toBe(false);
    expect(meet("responder", "1234567812345678", b.publicKey)).toBe(false);
  });

  it("refuses points that are none, and a key that is cancelled out", async () => {
    const [own, peer] = [implementation.generateKey(), implementation.generateKey()];
    const run = own.beginExchange("initiator");
    const good = peer.beginExchange("responder").ephemeral;
    const finish = (ephemeral: Uint8Array) => codeOf(() => run.finish({ publicKey: peer.publicKey, ephemeral }, 16));
    const off = Uint8Array.from(good);
    off[64] = (off[64] as number) ^ 1;
    const compressed = concatBytes(Uint8Array.of(2), good.subarray(1, 33));
    for (const wrong of [off, compressed, good.subarray(1), Uint8Array.of(0), new Uint8Array(0), new Uint8Array(65)]) {
      expect(await finish(wrong)).toBe("ERR_KEY_INVALID");
    }
    // P = -x * R, for which P + x * R is infinity.
    const x = (numberOf(good.subarray(17, 33)) & (2n ** 127n - 1n)) | (2n ** 127n);
    const multiple = implementation.engine.arithmetic.multiply(bytesOf(mod(-x)), good.subarray(1));
    const cancelling = implementation.importPublicKey(concatBytes(Uint8Array.of(4), multiple));
    const spoilt = own.beginExchange("responder");
    expect(await codeOf(() => spoilt.finish({ publicKey: cancelling, ephemeral: good }, 16))).toBe(
      "ERR_AUTHENTICATION",
    );
    // None of the refused points has used the run up.
    expect(run.finish({ publicKey: peer.publicKey, ephemeral: good }, 16).key).toHaveLength(16);
  });

  it("takes one peer, known options, and lengths of 1 to 65,536", async () => {
    const [own, peer] = [implementation.generateKey(), implementation.generateKey()];
    const run = own.beginExchange("initiator");
    const { publicKey } = peer;
    const { ephemeral } = peer.beginExchange("responder");
    for (const work of [
      () => own.beginExchange("both" as never),
      () => own.beginExchange("initiator", { id: "x" } as never),
      () => run.finish({ publicKey, ephemeral }, 0),
      () => run.finish({ publicKey, ephemeral }, 65_537),
      () => run.finish({ publicKey, ephemeral, id: "x" } as never, 16),
      () => run.finish({ publicKey, ephemeral: "x" as never }, 16),
      () => run.finish({ ephemeral } as never, 16),
    ]) {
      expect(await codeOf(work)).toBe("ERR_ARGUMENT");
    }
    const shared = run.finish({ publicKey, ephemeral }, 65_536);
    expect(shared.key).toHaveLength(65_536);
    expect(() => shared.verifyConfirmation("x" as never)).toThrow(TypeError);
    expect(await codeOf(() => run.finish({ publicKey, ephemeral }, 16))).toBe("ERR_CLOSED");
  });
});
