// Where the service is: scheme, host and port, checked. It must not know how it is reached.
import { argumentError, rangeError } from "./checks.js";
import { isLoopbackHost } from "./loopback.js";

/** A checked endpoint. */
export interface EndpointAddress {
  /** For example `https://kms.tencentcloudapi.com`. */
  readonly origin: string;
  readonly isSecure: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string;
  readonly port: number;
  /** As the header `Host` says it. */
  readonly host: string;
}

/** The endpoint when none is named: it takes every region. */
export const DEFAULT_ENDPOINT = "https://kms.tencentcloudapi.com";

/**
 * Checks an endpoint.
 * @param endpoint - scheme, host and, where it is not the scheme's own, port
 * @param allowsPlainHttp - whether `http:` may lead to another machine
 */
export function parseEndpoint(endpoint: string, allowsPlainHttp: boolean): EndpointAddress {
  if (typeof endpoint !== "string")
    throw argumentError("endpoint expected a text such as https://kms.tencentcloudapi.com");
  if (!URL.canParse(endpoint)) {
    throw rangeError("endpoint expected a scheme and a host, such as https://kms.tencentcloudapi.com");
  }
  const url = new URL(endpoint);
  if (url.protocol !== "https:" && url.protocol !== "http:") throw rangeError("endpoint expected https: or http:");
  if (url.username !== "" || url.password !== "") throw rangeError("endpoint expected no user or password in it");
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw rangeError("endpoint expected a scheme, a host and a port, and nothing after them");
  }
  const isSecure = url.protocol === "https:";
  if (!isSecure && !allowsPlainHttp && !isLoopbackHost(url.hostname)) {
    throw rangeError(
      "endpoint expected https: what is sent is secret, so http: leads to this machine only, unless allowPlainHttp is set",
    );
  }
  return {
    origin: url.origin,
    isSecure,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? (isSecure ? 443 : 80) : Number(url.port),
    host: url.host,
  };
}
