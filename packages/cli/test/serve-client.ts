// A client for the emulator that a test started: signed requests over fetch, and one half of a request over a bare socket.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createSigner } from "@fengni/kms-api";

/** The line that `serve --json` begins with. */
export interface Started {
  readonly endpoint: string;
  readonly region: string;
  readonly secretId: string;
  readonly secretKey: string;
  readonly adminToken?: string;
}

/** What the service answers, without its envelope. */
export type ServiceAnswer = Readonly<Record<string, unknown>> & {
  readonly RequestId: string;
  readonly Error?: { readonly Code: string; readonly Message: string };
};

/** Calls one action, signed. */
export async function call(
  { endpoint, secretId, secretKey }: Omit<Started, "region">,
  action: string,
  parameters: object = {},
): Promise<ServiceAnswer> {
  const payload = new TextEncoder().encode(JSON.stringify(parameters));
  const signed = { "content-type": "application/json", host: new URL(endpoint).host };
  const timestampSeconds = Math.floor(Date.now() / 1000);
  const signer = createSigner({ secretId, secretKey });
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": signed["content-type"],
      "X-TC-Action": action,
      "X-TC-Version": "2019-01-18",
      ...signer.sign({ method: "POST", headers: signed, payload, timestampSeconds }),
    },
    body: payload,
  });
  const { Response } = (await response.json()) as { readonly Response: ServiceAnswer };
  return Response;
}

/** A request whose body is still to come, read by the server as far as it is there. */
export async function halfRequest(endpoint: string): Promise<Socket> {
  const { hostname, port, host } = new URL(endpoint);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{`);
  // Answered after the half request was read: it came later.
  await (await fetch(`${endpoint}/_fengni/health`)).text();
  return socket;
}

/** Resolves when nothing listens there any more. */
export async function refusesConnections(endpoint: string): Promise<void> {
  const { hostname, port } = new URL(endpoint);
  for (;;) {
    const socket = connect(Number(port), hostname);
    try {
      await once(socket, "connect");
    } catch {
      return;
    } finally {
      socket.destroy();
    }
  }
}
