// The server against clients that break HTTP: what is refused by status and ended, and that it serves on.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Emulator } from "../src/assemble.js";
import { startEmulator } from "../src/emulator.js";
import { CREDENTIALS, call, codeOf, envelopeOf, RawConnection, sendRaw, signedRequest } from "./server-support.js";

const MAX_BODY_BYTES = 64 * 1024;
let emulator: Emulator;
/** Another, which waits for requests for a moment only: on a busy machine too short a moment for what must be answered. */
let hurried: Emulator;

beforeAll(async () => {
  const options = { credentials: CREDENTIALS, maxBodyBytes: MAX_BODY_BYTES };
  emulator = await startEmulator(options);
  hurried = await startEmulator({ ...options, headersTimeoutMs: 150, requestTimeoutMs: 300 });
});
afterAll(() => Promise.all([emulator.close(), hurried.close()]));

async function expectServing(): Promise<void> {
  expect(codeOf(await call(emulator, "ListKeys"))).toBe("");
}

const HEAD = "POST / HTTP/1.1\r\nHost: a\r\n";
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;

/** What is no HTTP, or what two servers could read in two ways. */
const MALFORMED: readonly (readonly [name: string, bytes: string, status: number | readonly number[]])[] = [
  ["no HTTP at all", "hello\r\n\r\n", 400],
  ["a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400],
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
  ["HTTP/0.9", "GET /\r\n\r\n", 505],
  ["HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", 505],
  ["HTTP/1.0 in chunks", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 505],
  ["no Host", "POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400],
  ["two Hosts", `${HEAD}Host: b\r\nContent-Length: 0\r\n\r\n`, 400],
  ["lines that end in LF", "POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n", 400],
  ["one header that ends in LF", `${HEAD}X: y\nContent-Length: 0\r\n\r\n`, 400],
  ["a last line that ends in LF", `${HEAD}Content-Length: 0\r\n\n`, 400],
  ["a lone CR", `${HEAD}X: y\rZ: w\r\nContent-Length: 0\r\n\r\n`, 400],
  ["a folded header", `${HEAD}X: a\r\n b\r\nContent-Length: 0\r\n\r\n`, 400],
  ["a folded first header", "POST / HTTP/1.1\r\n Host: a\r\n\r\n", 400],
  ["a blank before a colon", `${HEAD}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`, 400],
  ["a blank in a name", `${HEAD}X y: a\r\nContent-Length: 0\r\n\r\n`, 400],
  ["NUL in a value", `${HEAD}X: a\0b\r\nContent-Length: 0\r\n\r\n`, 400],
  ["length, then chunks", `${HEAD}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  ["chunks, then a length", `${HEAD}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n`, 400],
  ["two lengths", `${HEAD}Content-Length: 0\r\nContent-Length: 5\r\n\r\n`, 400],
  ["two equal lengths", `${HEAD}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`, 400],
  ["a list of lengths", `${HEAD}Content-Length: 0, 0\r\n\r\n`, 400],
  ["a length with a sign", `${HEAD}Content-Length: +0\r\n\r\n`, 400],
  ["a length in hexadecimal", `${HEAD}Content-Length: 0x0\r\n\r\n`, 400],
  ["a length that is too large", `${HEAD}Content-Length: 99999999999999999999999\r\n\r\n`, 400],
  ["two transfer encodings", `${HEAD}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  // Whoever of the two sees it first.
  ["an unknown encoding", `${HEAD}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, [400, 501]],
  ["chunked, but not last", `${HEAD}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`, 400],
  ["another encoding before chunked", `${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 501],
  ["a chunk's size that is no number", `${CHUNKED}0x1\r\nx\r\n0\r\n\r\n`, 400],
  ["a chunk's size that is too large", `${CHUNKED}fffffffffffffffff1\r\nx\r\n0\r\n\r\n`, 400],
  ["a chunk longer than its size", `${CHUNKED}1\r\nxyz\r\n0\r\n\r\n`, 400],
  ["a chunk's line that ends in LF", `${CHUNKED}1\nx\n0\n\n`, 400],
  ["a huge chunk extension", `${CHUNKED}1;${"a".repeat(20_000)}\r\nx\r\n0\r\n\r\n`, 413],
  ["headers of more than 16 KiB", `${HEAD}X: ${"a".repeat(17_000)}\r\n\r\n`, 431],
  ["a target of more than 16 KiB", `GET /?${"a".repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431],
  ["more than 100 headers", `${HEAD}${"A: b\r\n".repeat(150)}\r\n`, 431],
  ["so many headers that the parser forgets some", `${HEAD}${"A:b\r\n".repeat(1_500)}\r\n`, 431],
  ["an expectation", `${HEAD}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`, 417],
  ["an unknown expectation", `${HEAD}Expect: more\r\nContent-Length: 2\r\n\r\n`, 417],
  ["an upgrade", `${HEAD}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, 400],
  [
    "an upgrade to HTTP/2",
    `${HEAD}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n`,
    400,
  ],
  ["a tunnel", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["a whole address as the target", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 404],
  ["another path", "GET /x HTTP/1.1\r\nHost: a\r\n\r\n", 404],
  ["a path that leads back", "GET /x/.. HTTP/1.1\r\nHost: a\r\n\r\n", 404],
  ["two slashes", "GET // HTTP/1.1\r\nHost: a\r\n\r\n", 404],
  ...["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE"].map(
    (method) => [method, `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`, 405] as const,
  ),
];

describe("what is no proper HTTP is refused, and the connection ended", () => {
  test.each(MALFORMED)("%s", async (_name, bytes, status) => {
    const connection = new RawConnection(emulator.port).write(bytes);
    // An answer to HEAD tells the length of what it leaves out.
    const answer = bytes.startsWith("HEAD") ? undefined : await connection.answer();
    await connection.closed;
    if (bytes.startsWith("HEAD")) expect(connection.rest).toContain(`HTTP/1.1 ${status} `);
    else expect([status].flat()).toContain(answer?.status);
    expect(connection.wasReset).toBe(false);
  });

  test("the server serves on", expectServing);
});

describe("slow and broken-off requests", () => {
  test("headers that do not come are given up with 408", async () => {
    const connection = new RawConnection(hurried.port).write("POST / HTTP/1.1\r\nHost: a\r\n");
    expect((await connection.answer())?.status).toBe(408);
    await connection.closed;
  });

  test("a connection on which nothing comes is ended", async () => {
    const connection = new RawConnection(hurried.port);
    await connection.closed;
    expect(connection.wasReset).toBe(false);
  });

  test("a body that does not come is given up with 408", async () => {
    const connection = new RawConnection(hurried.port).write(`${HEAD}Content-Length: 10\r\n\r\nabc`);
    expect((await connection.answer())?.status).toBe(408);
    await connection.closed;
  });

  test("a client that leaves in the middle of its body is forgotten, and nothing recorded", async () => {
    const before = emulator.audit.recent().length;
    const connection = new RawConnection(emulator.port).write(`${HEAD}Content-Length: 10\r\n\r\nabc`);
    await new Promise((resolve) => connection.socket.once("connect", resolve));
    connection.socket.resetAndDestroy();
    await connection.closed;
    await expectServing();
    expect(emulator.audit.recent().length).toBe(before + 1);
  });

  test("a client that has sent all and ended its half gets its answer", async () => {
    const connection = new RawConnection(emulator.port).write(signedRequest(emulator.port, "ListKeys", {}));
    connection.socket.end();
    expect(codeOf(await connection.answer())).toBe("");
    await connection.closed;
  });
});

describe("several requests on one connection", () => {
  test("are answered in their order", async () => {
    const connection = new RawConnection(emulator.port);
    const actions = ["ListKeys", "NoSuchAction", "GetServiceStatus", "ListAlgorithms"];
    connection.write(actions.map((action) => signedRequest(emulator.port, action, {})).join(""));
    const codes: string[] = [];
    for (const _ of actions) codes.push(codeOf(await connection.answer()));
    expect(codes).toEqual(["", "InvalidAction", "", ""]);
    connection.socket.destroy();
  });

  test("what is malformed after a good request does not overtake its answer", async () => {
    const connection = new RawConnection(emulator.port);
    connection.write(`${signedRequest(emulator.port, "ListKeys", {})}garbage\r\n\r\n`);
    expect(codeOf(await connection.answer())).toBe("");
    await connection.closed;
    expect(connection.rest).toBe("");
  });

  test("a request hidden in the body of another is its body", async () => {
    const hidden = signedRequest(emulator.port, "CreateKey", { Alias: "hidden" });
    const connection = new RawConnection(emulator.port).write(signedRequest(emulator.port, "ListKeys", hidden));
    expect(codeOf(await connection.answer())).toBe("InvalidParameter");
    connection.write(signedRequest(emulator.port, "ListKeys", {}));
    expect(envelopeOf(await connection.answer())["TotalCount"]).toBe(0);
    connection.socket.destroy();
  });

  test("a body of chunks with small extensions and trailers is read", async () => {
    const request = signedRequest(emulator.port, "ListKeys", {})
      .replace(/Content-Length: \d+/, "Transfer-Encoding: chunked")
      .replace(/\r\n\r\n\{\}$/, "\r\n\r\n1;a=b\r\n{\r\n1\r\n}\r\n0\r\nHost: b\r\nX-TC-Action: CreateKey\r\n\r\n");
    expect(codeOf(await sendRaw(emulator.port, request))).toBe("");
  });
});

/** Requests whose answer ends the connection. */
const ENDING: readonly (readonly [name: string, bytes: string])[] = [
  ["two Hosts", `${HEAD}Host: b\r\nContent-Length: 0\r\n\r\n`],
  ["HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"],
  ["another method", "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"],
  ["more than 100 headers", `${HEAD}${"A: b\r\n".repeat(150)}\r\n`],
  ["an expectation", `${HEAD}Expect: 100-continue\r\nContent-Length: 0\r\n\r\n`],
  ["another path", "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["a page by a wrong method", "PUT /_fengni/health HTTP/1.1\r\nHost: a\r\n\r\n"],
  ["an answer that goes on", "GET /_fengni/console/events HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n"],
  ["a body too long", `${CHUNKED}${`1000\r\n${"a".repeat(4096)}\r\n`.repeat(17)}0\r\n\r\n`],
  ["the client's wish", "GET /_fengni/health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"],
];

describe("what comes after the request whose answer ends the connection is not carried out", () => {
  test.each(ENDING)("%s", async (_name, bytes) => {
    const { port } = emulator;
    const before = signedRequest(port, "ListKeys", {});
    const after = signedRequest(port, "CreateKey", { Alias: "too-late" });
    const recorded = emulator.audit.recent().length;
    const connection = new RawConnection(port).write(before + bytes.replace("PORT", String(port)) + after + after);
    expect(codeOf(await connection.answer())).toBe("");
    const answer = await connection.answer();
    expect(answer?.headers["connection"]).toBe("close");
    connection.socket.destroy();
    await connection.closed;
    await expectServing();
    expect((await emulator.kms.listKeys()).total).toBe(0);
    const actions = emulator.audit.recent().slice(recorded);
    expect(actions.filter(({ action }) => action === "CreateKey")).toEqual([]);
  });
});

describe("bodies", () => {
  const tooLong = " ".repeat(MAX_BODY_BYTES - 1);

  test("of the most bytes are taken", async () => {
    const body = `{${" ".repeat(MAX_BODY_BYTES - 2)}}`;
    expect(codeOf(await call(emulator, "ListKeys", body))).toBe("");
  });

  test("of one byte more are refused in the envelope, and the connection ended", async () => {
    const connection = new RawConnection(emulator.port);
    connection.write(signedRequest(emulator.port, "ListKeys", `{${tooLong}}`));
    const answer = await connection.answer();
    expect(codeOf(answer)).toBe("RequestSizeLimitExceeded");
    expect(answer?.headers["connection"]).toBe("close");
    await connection.closed;
    expect(emulator.audit.recent().at(-1)).toMatchObject({
      code: "RequestSizeLimitExceeded",
      action: "ListKeys",
      uin: "",
    });
  });

  test("that announce more are refused before a byte of them is read", async () => {
    const connection = new RawConnection(emulator.port).write(`${HEAD}Content-Length: 1000000000\r\n\r\n`);
    expect(codeOf(await connection.answer())).toBe("RequestSizeLimitExceeded");
    connection.socket.destroy();
  });

  test("in chunks that grow too long are refused", async () => {
    const chunk = `1000\r\n${"a".repeat(4096)}\r\n`;
    const connection = new RawConnection(emulator.port).write(`${CHUNKED}${chunk.repeat(17)}0\r\n\r\n`);
    expect(codeOf(await connection.answer())).toBe("RequestSizeLimitExceeded");
    await connection.closed;
  });

  test("of single bytes are put together", async () => {
    const json = JSON.stringify({ Offset: 0, Limit: 10, SearchKeyAlias: "ä".repeat(20) });
    const chunks = [...Buffer.from(json)].map((byte) => `1\r\n${String.fromCharCode(byte)}\r\n`).join("");
    const request = signedRequest(emulator.port, "ListKeyDetail", json)
      .replace(/Content-Length: \d+/, "Transfer-Encoding: chunked")
      .replace(/\r\n\r\n{.*}$/s, "\r\n\r\n");
    const connection = new RawConnection(emulator.port).write(request);
    connection.socket.write(`${chunks}0\r\n\r\n`, "latin1");
    expect(codeOf(await connection.answer())).toBe("");
    connection.socket.destroy();
  });
});

test("more connections than allowed are ended, the others are served", async () => {
  const small = await startEmulator({ credentials: CREDENTIALS, maxConnections: 2 });
  const [first, second] = [new RawConnection(small.port), new RawConnection(small.port)];
  first.write(signedRequest(small.port, "ListKeys", {}));
  second.write(signedRequest(small.port, "ListKeys", {}));
  await Promise.all([first.answer(), second.answer()]);
  const third = new RawConnection(small.port).write(signedRequest(small.port, "ListKeys", {}));
  expect(await third.answer()).toBeUndefined();
  first.write(signedRequest(small.port, "ListKeys", {}));
  expect(codeOf(await first.answer())).toBe("");
  for (const { socket } of [first, second, third]) socket.destroy();
  await small.close();
});
