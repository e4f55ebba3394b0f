// IPv4 and IPv6 addresses and CIDR ranges: parsing from text and the test of membership. It must not know conditions.

/** An address: one word for IPv4, four for IPv6, each 32 bits without sign, the most significant first. */
export type IpAddress = readonly number[];

/** The addresses whose first `length` bits are those of `network`. */
export interface IpRange {
  readonly network: IpAddress;
  readonly length: number;
}

const OCTET = /^(?:0|[1-9][0-9]{0,2})$/;
const GROUP = /^[0-9A-Fa-f]{1,4}$/;
const PREFIX = /^(?:0|[1-9][0-9]{0,2})$/;
/** The longest text of an address; `0000:0000:0000:0000:0000:ffff:255.255.255.255` has 45 characters. */
const MAX_CHARACTERS = 45;
/** Where an IPv4 address begins inside an IPv4-mapped one, in bits. */
const MAPPED_BITS = 96;

function parseIpv4(text: string): number | undefined {
  const octets = text.split(".");
  if (octets.length !== 4) return undefined;
  let word = 0;
  for (const octet of octets) {
    // A leading zero is refused: some readers take it for octal, so that two of them would see two addresses.
    if (!OCTET.test(octet)) return undefined;
    const value = Number(octet);
    if (value > 255) return undefined;
    word = word * 256 + value;
  }
  return word;
}

/** The 16-bit groups of a part without `::`; the last one may be written as an IPv4 address. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (GROUP.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const word = mayEndInIpv4 && index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (word === undefined) return undefined;
    groups.push(Math.floor(word / 0x10000), word % 0x10000);
  }
  return groups;
}

function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves;
  const front = parseGroups(head as string, tail === undefined);
  const back = tail === undefined ? [] : parseGroups(tail, true);
  if (front === undefined || back === undefined) return undefined;
  const missing = 8 - front.length - back.length;
  // RFC 4291 2.2: "::" stands for at least one group.
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...front, ...new Array<number>(missing).fill(0), ...back];
  const word = (at: number): number => (groups[at] as number) * 0x10000 + (groups[at + 1] as number);
  return [word(0), word(2), word(4), word(6)];
}

function isMapped(address: IpAddress): boolean {
  return address.length === 4 && address[0] === 0 && address[1] === 0 && address[2] === 0xffff;
}

/** As written, an IPv4-mapped address still with its four words. */
function parseWritten(text: string): IpAddress | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
  if (text.includes(":")) return parseIpv6(text);
  const word = parseIpv4(text);
  return word === undefined ? undefined : [word];
}

/**
 * Reads an address. An IPv4-mapped one (`::ffff:203.0.113.9`) is the IPv4 address.
 * @param text - dotted decimal without leading zeros, or RFC 4291 section 2.2; no zone, no port
 * @returns the address, or undefined when it is none
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  const address = parseWritten(text);
  return address !== undefined && isMapped(address) ? address.slice(3) : address;
}

/**
 * Reads an address or a CIDR range. Host bits may be set: the address is masked.
 * @param text - an address, or an address and `/` and the length of the prefix in bits
 * @returns the range, or undefined when it is none
 */
export function parseIpRange(text: string): IpRange | undefined {
  const slash = text.indexOf("/");
  const written = parseWritten(slash < 0 ? text : text.slice(0, slash));
  if (written === undefined) return undefined;
  const longest = written.length * 32;
  const suffix = slash < 0 ? String(longest) : text.slice(slash + 1);
  if (!PREFIX.test(suffix)) return undefined;
  const length = Number(suffix);
  if (length > longest) return undefined;
  // A mapped range is an IPv4 range only while its prefix covers the mapping; a shorter one spans IPv6 addresses.
  const isIpv4 = isMapped(written) && length >= MAPPED_BITS;
  return isIpv4 ? { network: written.slice(3), length: length - MAPPED_BITS } : { network: written, length };
}

/** Whether an address lies in a range. The families never match each other. */
export function ipRangeContains(range: IpRange, address: IpAddress): boolean {
  const { network } = range;
  if (network.length !== address.length) return false;
  let bits = range.length;
  for (let at = 0; bits > 0; at++, bits -= 32) {
    const mask = bits >= 32 ? -1 : ~(0xffffffff >>> bits);
    if ((((network[at] as number) ^ (address[at] as number)) & mask) !== 0) return false;
  }
  return true;
}
