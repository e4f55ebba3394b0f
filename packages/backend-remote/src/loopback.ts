// Whether an address stays inside this machine, where plain HTTP gives nothing away. It must not know what is sent.

/**
 * Whether a URL's host is loopback.
 * @param hostname - as `URL.hostname` gives it, with brackets around an IPv6 address
 */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}
