// Signed requests to the emulator, with verification, policies and an audit file, against a bare node:http server that answers a
// constant; and how long each takes from its start to its first answer. Servers are processes of their own; an arm is the client,
// whose work is the same for both, so that only the wall clock tells anything here. It must not know how requests are signed.
import { type ChildProcess, fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import type { Arm, Comparison } from "./harness.js";

const SERVER = fileURLToPath(new URL("./emulator-server.mjs", import.meta.url));
const CONNECTIONS = 16;

/** What a server's process says when it is ready. */
interface Ready {
  readonly port: number;
  /** Whole requests, each signed. */
  readonly requests: readonly string[];
}

/** A connection that sends one request after the other. */
class Client {
  readonly #socket: Socket;
  #received = "";
  #wait: () => void = () => undefined;

  constructor(port: number) {
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.setEncoding("latin1");
    this.#socket.on("data", (text: string) => {
      this.#received += text;
      this.#wait();
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  async ask(request: string): Promise<void> {
    this.#socket.write(request, "latin1");
    for (;;) {
      await new Promise<void>((resolve) => {
        this.#wait = resolve;
      });
      const headersEnd = this.#received.indexOf("\r\n\r\n");
      if (headersEnd < 0) continue;
      const length = Number(/content-length: (\d+)/i.exec(this.#received)?.[1]);
      if (this.#received.length < headersEnd + 4 + length) continue;
      if (!this.#received.includes('"CiphertextBlob"')) throw new Error(`refused: ${this.#received}`);
      this.#received = "";
      return;
    }
  }
}

/** An arm that asks the server of this kind. */
function asking(kind: string): Arm {
  return async () => {
    const server: ChildProcess = fork(SERVER, [kind], { execArgv: [] });
    const [{ port, requests }] = (await once(server, "message")) as [Ready];
    return async (count) => {
      // Anew for each turn: while others have theirs, a server ends connections on which nothing comes.
      const clients = Array.from({ length: CONNECTIONS }, () => new Client(port));
      let left = count;
      const askUntilDone = async (client: Client): Promise<void> => {
        while (left > 0) await client.ask(requests[left-- % requests.length] as string);
      };
      await Promise.all(clients.map(askUntilDone));
      for (const client of clients) client.close();
    };
  };
}

/** An arm that starts a process again and again, and waits for its end. */
function starting(...args: readonly string[]): Arm {
  return async () => (count) => {
    for (let i = 0; i < count; i++) {
      const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
      if (status !== 0) throw new Error(stderr);
    }
  };
}

const NAMES = {
  bare: "bare node:http server: constant answer",
  emulator: "emulator: signed GenerateDataKey",
  empty: "node -e 0: whole process",
  start: "emulator: start to first signed answer, whole process",
};

/** Requests a second, and processes a second. */
export const emulator: Comparison = {
  rounds: 3,
  roundMs: 1000,
  arms: {
    [NAMES.bare]: asking("bare"),
    [NAMES.emulator]: asking("emulator"),
    [NAMES.empty]: starting("-e", "0"),
    [NAMES.start]: starting(SERVER, "once"),
  },
  lines: (line) => [
    line(NAMES.bare),
    line(NAMES.emulator, NAMES.bare),
    line(NAMES.empty),
    line(NAMES.start, NAMES.empty),
  ],
};
