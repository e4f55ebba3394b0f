// Providers that do not end as they should, or leave something running.
import { createServer, type Server } from "node:net";
import { FengniError } from "@fengni/core";
import { wrapMethods } from "../../src/wrap-methods.js";
import {
  caughtBy,
  type Fault,
  inAdmin,
  inProvider,
  inSubject,
  type Mistake,
  overriding,
  recoded,
  turn,
} from "./support.js";

const closed = (): FengniError => new FengniError("ERR_CLOSED", "closed already");

/** Something that keeps the process alive, opened with the provider and closed only by the test. */
function leavingOpen(name: string, open: () => () => void): Mistake {
  let letGo = (): void => {};
  return inSubject(
    name,
    () => {
      letGo = open();
      return {};
    },
    { after: () => letGo() },
  );
}

export const shutdownFaults: readonly Fault[] = caughtBy("shutdown", [
  inProvider("close does nothing", () => ({ close: async () => {} })),
  inProvider("resolveKeyId works after close", (_right, double) => {
    const other = double.sibling();
    return { resolveKeyId: async (keyId, options) => (await other).resolveKeyId(keyId, options) };
  }),
  inProvider("decrypt works after close", (_right, double) => {
    const other = double.sibling();
    return { decrypt: async (request, options) => (await other).decrypt(request, options) };
  }),
  inProvider("verify works after close", (_right, double) => {
    const other = double.sibling();
    return { verify: async (request, options) => (await other).verify(request, options) };
  }),
  inProvider("after close it is unavailable", (right) => ({
    encrypt: (request, options) =>
      recoded(right.encrypt(request, options), "ERR_CLOSED", () => new FengniError("ERR_UNAVAILABLE", "gone")),
  })),
  inProvider("after close it throws at once", (right) => {
    let isClosed = false;
    return {
      close: async () => {
        isClosed = true;
        await right.close();
      },
      encrypt: (request, options) => {
        if (isClosed) throw closed();
        return right.encrypt(request, options);
      },
    };
  }),
  inProvider("a second close rejects", (right) => {
    let isClosed = false;
    return {
      close: async () => {
        if (isClosed) throw closed();
        await right.close();
        await turn();
        isClosed = true;
      },
    };
  }),
  inProvider("a close beside another rejects", (right) => {
    let isClosing = false;
    return {
      close: async () => {
        if (isClosing) throw closed();
        isClosing = true;
        await turn();
        await right.close();
        isClosing = false;
      },
    };
  }),
  inProvider("close gives no promise", (right) => ({
    close: () => {
      void right.close();
      return undefined as unknown as Promise<void>;
    },
  })),
  inSubject(
    "close waits for ever when something runs",
    ({ provider }) => {
      let running = 0;
      return {
        provider: wrapMethods(provider, async (method, args, call) => {
          if (method === "close") {
            if (running > 0) await new Promise(() => {});
            return call(args);
          }
          running += 1;
          const answer = await call(args);
          await turn();
          running -= 1;
          return answer;
        }),
      };
    },
    { settings: { callTimeoutMs: 300 } },
  ),
  inSubject(
    "what runs while it closes never settles",
    ({ provider }) => {
      let isClosed = false;
      return {
        provider: wrapMethods(provider, async (method, args, call) => {
          if (method === "close") isClosed = true;
          const answer = call(args);
          await turn();
          if (isClosed && method === "encrypt") await new Promise(() => {});
          return answer;
        }),
      };
    },
    { settings: { callTimeoutMs: 300 } },
  ),
  inSubject("what runs while it closes fails in another way", ({ provider }) => {
    let isClosed = false;
    return {
      provider: wrapMethods(provider, async (method, args, call) => {
        if (method === "close") isClosed = true;
        const wasOpen = !isClosed;
        const answer = await call(args);
        await turn();
        if (isClosed && wasOpen && method === "decrypt") throw new TypeError("the pool is gone");
        return answer;
      }),
    };
  }),
  inSubject("closing a sibling closes the others", ({ provider, sibling }) => ({
    sibling: async () => {
      const right = await sibling();
      return overriding(right, {
        close: async () => {
          await right.close();
          await provider.close();
        },
      });
    },
  })),
  inSubject("a closed sibling goes on", ({ sibling }) => ({
    sibling: async () => overriding(await sibling(), { close: async () => {} }),
  })),
  inAdmin("the admin goes on after close", () => ({ close: async () => {} })),
  inAdmin("a second close of the admin rejects", (right) => {
    let isClosed = false;
    return {
      close: async () => {
        if (isClosed) throw closed();
        isClosed = true;
        await right.close();
      },
    };
  }),
  leavingOpen("a timer is left running", () => {
    const timer = setInterval(() => {}, 60_000);
    return () => clearInterval(timer);
  }),
  leavingOpen("a port is left open", () => {
    const { port1 } = new MessageChannel();
    port1.addEventListener("message", () => {});
    port1.start();
    return () => port1.close();
  }),
  leavingOpen("a socket is left listening", () => {
    const server: Server = createServer().listen(0, "127.0.0.1");
    return () => server.close();
  }),
]);
