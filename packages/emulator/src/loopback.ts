// Which addresses only this machine reaches. It must not know who asks.
import { type AddressInfo, BlockList, isIP, isIPv6 } from "node:net";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether a host to listen on is loopback: 127.0.0.0/8, ::1, or the name that stands for them (RFC 6761 section 6.3). */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  return family === 0 ? host.toLowerCase() === "localhost" : LOOPBACK.check(host, family === 4 ? "ipv4" : "ipv6");
}

/** The address under which this machine reaches a server that listens on a host: on every address it is also on loopback. */
export function reachableHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return isIPv6(host) ? `[${host}]` : host;
}

/** The values of `Host` by which this machine reaches a loopback address. Clients leave out the port that a scheme has anyway. */
export function loopbackHosts({ address, port }: Pick<AddressInfo, "address" | "port">, isTls: boolean): Set<string> {
  const names = ["127.0.0.1", "localhost", "[::1]", reachableHost(address)];
  const hosts = names.map((name) => `${name}:${port}`);
  return new Set(port === (isTls ? 443 : 80) ? [...hosts, ...names] : hosts);
}
