import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  assertBytes,
  base64ToBytes,
  bytesToBase64,
  bytesToHex,
  bytesToUtf8,
  concatBytes,
  equalBytes,
  hexToBytes,
  utf8ToBytes,
  wipe,
} from "../src/bytes.js";
import { runs } from "./wycheproof.js";

const argumentError = (name: "TypeError" | "RangeError"): unknown =>
  expect.objectContaining({ name, code: "ERR_ARGUMENT" });
const wrong = [1, 2] as unknown as Uint8Array;

describe("assertBytes", () => {
  it("gives the value back, and says what is wrong with another", () => {
    const value = new Uint8Array(3);
    expect(assertBytes(value, "key")).toBe(value);
    expect(assertBytes(value, "key", 3)).toBe(value);
    expect(() => assertBytes(value, "key", 4)).toThrow('"key" expected Uint8Array of length 4, got length=3');
    expect(() => assertBytes(value, "key", 4)).toThrow(argumentError("RangeError") as Error);
    expect(() => assertBytes(null, "key", 4)).toThrow('"key" expected Uint8Array of length 4, got type=null');
    for (const other of [
      undefined,
      "text",
      1,
      [1],
      new Uint16Array(2),
      new DataView(new ArrayBuffer(2)),
      new ArrayBuffer(2),
      new Proxy(new Uint8Array(2), {}),
      Object.create(Uint8Array.prototype),
    ]) {
      expect(() => assertBytes(other, "key")).toThrow(argumentError("TypeError") as Error);
    }
    expect(() => assertBytes({ [Symbol.toStringTag]: "Uint8Array", length: 3 }, "key")).toThrow(TypeError);
  });

  it("takes a Buffer, and a Uint8Array of another realm", async () => {
    const { runInNewContext } = await import("node:vm");
    expect(assertBytes(Buffer.alloc(2), "key")).toHaveLength(2);
    expect(assertBytes(runInNewContext("new Uint8Array(5)"), "key", 5)).toHaveLength(5);
  });
});

describe("concatBytes, equalBytes, wipe", () => {
  it("joins into a buffer of its own", () => {
    const part = Uint8Array.of(1, 2);
    const joined = concatBytes(part, new Uint8Array(0), part.subarray(1));
    expect([...joined]).toEqual([1, 2, 2]);
    joined.fill(9);
    expect([...part]).toEqual([1, 2]);
    expect(concatBytes()).toHaveLength(0);
    expect(() => concatBytes(part, wrong)).toThrow(argumentError("TypeError") as Error);
  });

  it("compares content and length", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.uint8Array({ maxLength: 40 }), (a, b) => {
        expect(equalBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
        expect(equalBytes(a, Uint8Array.from(a))).toBe(true);
      }),
      runs(200),
    );
    expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false);
    expect(() => equalBytes(wrong, wrong)).toThrow(argumentError("TypeError") as Error);
  });

  it("wipes every buffer it is given", () => {
    const [a, b] = [Uint8Array.of(1, 2), Uint8Array.of(3)];
    wipe(a, b);
    expect([...a, ...b]).toEqual([0, 0, 0]);
  });
});

describe("UTF-8", () => {
  it("carries well-formed text both ways, a byte order mark included", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(bytesToUtf8(utf8ToBytes(text))).toBe(text);
        expect(Buffer.from(utf8ToBytes(text)).equals(Buffer.from(text, "utf8"))).toBe(true);
      }),
      runs(200),
    );
    expect(bytesToUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\ufeffa");
    expect(bytesToUtf8(utf8ToBytes("\ufeffa"))).toBe("\ufeffa");
  });

  it.each(["\ud800", "a\udc00", "\udc00\ud800", "\ud83d x", "x\ud83d\ud83d\ude00"])(
    "refuses a lone surrogate (case %#)",
    (text) => {
      expect(() => utf8ToBytes(text)).toThrow(argumentError("TypeError") as Error);
    },
  );

  it("takes surrogate pairs", () => {
    expect(bytesToHex(utf8ToBytes("\ud83d\ude00"))).toBe("f09f9880");
  });

  it.each(["ff", "c080", "eda080", "f4908080", "e282", "61c3"])("refuses malformed UTF-8 %s", (hex) => {
    expect(() => bytesToUtf8(hexToBytes(hex))).toThrow(argumentError("TypeError") as Error);
  });
});

describe("hex", () => {
  // Lengths on both sides of the switch from the portable loop to Buffer.
  it("carries bytes both ways in lower case, and reads upper case", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const hex = bytesToHex(bytes);
        expect(hex).toBe(Buffer.from(bytes).toString("hex"));
        expect([...hexToBytes(hex)]).toEqual([...bytes]);
        expect([...hexToBytes(hex.toUpperCase())]).toEqual([...bytes]);
      }),
      runs(300),
    );
  });

  const long = "00".repeat(60);
  it.each(["0", "0g", "g0", " 00", "0x00", "00\n", "００", "0İ"])(
    "refuses %j, alone and within a long text",
    (text) => {
      for (const hex of [text, text + long, long + text]) {
        expect(() => hexToBytes(hex)).toThrow(argumentError("TypeError") as Error);
      }
    },
  );

  // These code units end in the byte of a digit, which a decoder that cuts them to one byte would take.
  it.each(["\u0130\u0130", "\u3030\u3030"])("refuses foreign digits (case %#)", (text) => {
    for (const hex of [text, text + long]) expect(() => hexToBytes(hex)).toThrow(argumentError("TypeError") as Error);
  });
});

describe("base64", () => {
  it("carries bytes both ways, as Buffer writes it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const base64 = bytesToBase64(bytes);
        expect(base64).toBe(Buffer.from(bytes).toString("base64"));
        expect([...base64ToBytes(base64)]).toEqual([...bytes]);
      }),
      runs(300),
    );
  });

  it("reads what RFC 4648 section 10 gives", () => {
    for (const [text, base64] of [
      ["", ""],
      ["f", "Zg=="],
      ["fo", "Zm8="],
      ["foo", "Zm9v"],
      ["foob", "Zm9vYg=="],
      ["fooba", "Zm9vYmE="],
      ["foobar", "Zm9vYmFy"],
    ] as const) {
      expect(bytesToUtf8(base64ToBytes(base64))).toBe(text);
      expect(bytesToBase64(utf8ToBytes(text))).toBe(base64);
    }
  });

  const block = "AAAA";
  const longPrefix = block.repeat(20);
  it.each([
    ["missing padding", "Zg"],
    ["missing padding", "Zg="],
    ["missing padding", "Zm8"],
    ["surplus padding", "Zm9v===="],
    ["surplus padding", "Zg==="],
    ["padding alone", "===="],
    ["padding of three", "Z==="],
    ["padding in the middle", "Zg==Zg=="],
    ["padding in the middle", "Z=g="],
    ["a digit alone", "Z"],
    ["white space", "Zm9v Zm9v   "],
    ["white space", "Zm9\n"],
    ["white space at the end", "Zm9v\n"],
    ["the URL alphabet", "-_-_"],
    ["a foreign character", "Zm9\u0100"],
    ["a foreign character", "Zm9\u0161"],
    ["a NUL", "Zm9\0"],
    ["unused bits that are not zero", "Zh=="],
    ["unused bits that are not zero", "Zm9="],
    ["unused bits that are not zero", "//=="],
  ])("refuses %s: %j", (_what, text) => {
    for (const base64 of [text, longPrefix + text]) {
      expect(() => base64ToBytes(base64)).toThrow(argumentError("TypeError") as Error);
    }
  });

  it("reads every last digit without unused bits, and refuses every other", () => {
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (const prefix of ["", longPrefix]) {
      for (const [index, digit] of [...alphabet].entries()) {
        for (const [text, step] of [
          [`A${digit}==`, 16],
          [`AA${digit}=`, 4],
        ] as const) {
          if (index % step === 0) expect(bytesToBase64(base64ToBytes(prefix + text))).toBe(prefix + text);
          else expect(() => base64ToBytes(prefix + text)).toThrow(TypeError);
        }
      }
    }
  });

  it("leaves no copy of a decoded key in the pool of Buffer", () => {
    const pool = Buffer.from("anchor").buffer;
    const key = Buffer.alloc(48, 0xd7);
    base64ToBytes(key.toString("base64"));
    hexToBytes(key.toString("hex"));
    expect(Buffer.from(pool).includes(key.subarray(0, 16))).toBe(false);
  });
});
