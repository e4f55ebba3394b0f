// One round of SM4 on eight blocks at once, bit by bit (GB/T 32907-2016 section 6.2). It works with logic and rotations only, without a
// table or a branch, so that its time does not depend on key or data. It must not know keys' schedules nor modes.
//
// A word of the state is eight 32-bit numbers: number b holds bit b of each of the four bytes of that word in each of the eight
// blocks; the first byte's bits stand in the top eight, one for each block.
//
// The S-box is S(x) = A(1 / (A(x) + c)) + c in GF(2^8) modulo x^8 + x^7 + x^6 + x^5 + x^4 + x^2 + 1, where A is linear, c = 0xd3 and
// 1 / 0 = 0. Both c are left out here and are part of the round keys (sm4-schedule.ts). The inversion is done in GF(2^4), and the one
// there in GF(2^2), each with a normal basis; the bases are those, of all that there are, for which a greedy search for common sums
// found the fewest gates: 117, of which 36 are products.

/**
 * Replaces word 0 of the state by w0 + L(S'(w1 + w2 + w3 + key)), where S' is the S-box without its constants.
 * @param keys - bit-sliced round keys, eight numbers a round
 * @param at - index of this round's first number
 */
export function sm4Round(
  w0: Int32Array,
  w1: Int32Array,
  w2: Int32Array,
  w3: Int32Array,
  keys: Int32Array,
  at: number,
): void {
  const x0 = (w1[0] as number) ^ (w2[0] as number) ^ (w3[0] as number) ^ (keys[at] as number);
  const x1 = (w1[1] as number) ^ (w2[1] as number) ^ (w3[1] as number) ^ (keys[at + 1] as number);
  const x2 = (w1[2] as number) ^ (w2[2] as number) ^ (w3[2] as number) ^ (keys[at + 2] as number);
  const x3 = (w1[3] as number) ^ (w2[3] as number) ^ (w3[3] as number) ^ (keys[at + 3] as number);
  const x4 = (w1[4] as number) ^ (w2[4] as number) ^ (w3[4] as number) ^ (keys[at + 4] as number);
  const x5 = (w1[5] as number) ^ (w2[5] as number) ^ (w3[5] as number) ^ (keys[at + 5] as number);
  const x6 = (w1[6] as number) ^ (w2[6] as number) ^ (w3[6] as number) ^ (keys[at + 6] as number);
  const x7 = (w1[7] as number) ^ (w2[7] as number) ^ (w3[7] as number) ^ (keys[at + 7] as number);
  // A, and the sums of the bits of both halves, high and low, that the products below need.
  const t0 = x0 ^ x3;
  const t1 = x4 ^ x7;
  const t2 = x2 ^ x6;
  const t3 = x1 ^ t0;
  const t4 = x3 ^ x5;
  const t5 = x5 ^ t1;
  const t6 = x1 ^ x5;
  const t7 = x2 ^ x4;
  const t8 = x5 ^ t0;
  const t9 = x2 ^ t1;
  const t10 = x1 ^ t2;
  const t11 = x7 ^ t3;
  const t12 = t1 ^ t3;
  const t13 = x7 ^ t4;
  const t14 = t2 ^ t3;
  const t15 = t7 ^ t8;
  const t16 = t0 ^ t1;
  const t17 = t3 ^ t7;
  const t18 = x6 ^ t4;
  const t19 = x0 ^ t6;
  const t20 = x0 ^ t9;
  const t21 = t2 ^ t5;
  const t22 = x5 ^ t14;
  // D = high * low + norm (high + low)^2 in GF(2^4): the norm of the element. An "or" adds the sum of its factors to their product, and
  // with it most of the second term.
  const p0 = t20 | t10;
  const p1 = t15 | x1;
  const p2 = t13 | t2;
  const p3 = t9 | t22;
  const p4 = t17 | t12;
  const p5 = t11 & t21;
  const p6 = x0 | t8;
  const p7 = t6 | t16;
  const p8 = t19 & t5;
  const d0 = p5 ^ p6;
  const d1 = p2 ^ p6;
  const d2 = p7 ^ t4;
  const d3 = p7 ^ d0;
  const d4 = p8 ^ d0;
  const d5 = p1 ^ p8;
  const d6 = p0 ^ d2;
  const d7 = p4 ^ d4;
  const d8 = t18 ^ d7;
  const d9 = d1 ^ d6;
  const d10 = p3 ^ d3;
  const d11 = d1 ^ d5;
  // E = D^-1 in GF(2^4), by way of GF(2^2), and the sums of its bits that the products below need.
  const u0 = d9 ^ d11;
  const u1 = d10 ^ d8;
  const q0 = u0 & u1;
  const u2 = d11 ^ d8;
  const q1 = d9 | d10;
  const q2 = d11 | d8;
  const c0 = q1 ^ q0;
  const c1 = c0 ^ u2;
  const c2 = q2 ^ q0;
  const c3 = c1 ^ c2;
  const r0 = d10 & c2;
  const r1 = d8 & c1;
  const r2 = u1 & c3;
  const r3 = d9 & c2;
  const r4 = d11 & c1;
  const r5 = u0 & c3;
  const e3 = r0 ^ r2;
  const e2 = r1 ^ r2;
  const e1 = r3 ^ r5;
  const e0 = r4 ^ r5;
  const f12 = r0 ^ r1;
  const f3 = r3 ^ r4;
  const f10 = e3 ^ e1;
  const f5 = e2 ^ e0;
  const f15 = f12 ^ f3;
  // The inverse of the element is (low E, high E): two products in GF(2^4).
  const s0 = t10 & e3;
  const s1 = x1 & e2;
  const s2 = t2 & f12;
  const s3 = t22 & e1;
  const s4 = t12 & e0;
  const s5 = t21 & f3;
  const s6 = t8 & f10;
  const s7 = t16 & f5;
  const s8 = t5 & f15;
  const s9 = t20 & e3;
  const s10 = t15 & e2;
  const s11 = t13 & f12;
  const s12 = t9 & e1;
  const s13 = t17 & e0;
  const s14 = t11 & f3;
  const s15 = x0 & f10;
  const s16 = t6 & f5;
  const s17 = t19 & f15;
  // From both products to the bits of the result; A once more.
  const o0 = s2 ^ s7;
  const o1 = s0 ^ o0;
  const o2 = s14 ^ o1;
  const o3 = s5 ^ s8;
  const o4 = s6 ^ s9;
  const o5 = s11 ^ s16;
  const o6 = s13 ^ o4;
  const o7 = s17 ^ o5;
  const o8 = s4 ^ o3;
  const o9 = s12 ^ o2;
  const o10 = o6 ^ o7;
  const o11 = s5 ^ s7;
  const o12 = o8 ^ o9;
  const o13 = s3 ^ o11;
  const o14 = s10 ^ s12;
  const o15 = s3 ^ o3;
  const o16 = o4 ^ o9;
  const o17 = s10 ^ o7;
  const o18 = s1 ^ o15;
  const o19 = o13 ^ o14;
  const o20 = s15 ^ s16;
  const y2 = o12 ^ o17;
  const o21 = s14 ^ o10;
  const y6 = s11 ^ o16;
  const y5 = o12 ^ o20;
  const y3 = s6 ^ o8;
  const y4 = o13 ^ o21;
  const y7 = o0 ^ o18;
  const y1 = o2 ^ o10;
  const y0 = o6 ^ o19;
  // L (GB/T 32907-2016 section 6.2.2): with v = y + (y <<< 8) and z = v + (y <<< 16) it is L y = (v <<< 24) + (z <<< 2). A rotation by 8
  // turns each word; one by 2 moves bit b to bit b + 2, where bits 6 and 7 go into the byte before.
  const v0 = y0 ^ ((y0 << 8) | (y0 >>> 24));
  const v1 = y1 ^ ((y1 << 8) | (y1 >>> 24));
  const v2 = y2 ^ ((y2 << 8) | (y2 >>> 24));
  const v3 = y3 ^ ((y3 << 8) | (y3 >>> 24));
  const v4 = y4 ^ ((y4 << 8) | (y4 >>> 24));
  const v5 = y5 ^ ((y5 << 8) | (y5 >>> 24));
  const v6 = y6 ^ ((y6 << 8) | (y6 >>> 24));
  const v7 = y7 ^ ((y7 << 8) | (y7 >>> 24));
  const z0 = v0 ^ ((y0 << 16) | (y0 >>> 16));
  const z1 = v1 ^ ((y1 << 16) | (y1 >>> 16));
  const z2 = v2 ^ ((y2 << 16) | (y2 >>> 16));
  const z3 = v3 ^ ((y3 << 16) | (y3 >>> 16));
  const z4 = v4 ^ ((y4 << 16) | (y4 >>> 16));
  const z5 = v5 ^ ((y5 << 16) | (y5 >>> 16));
  const z6 = v6 ^ ((y6 << 16) | (y6 >>> 16));
  const z7 = v7 ^ ((y7 << 16) | (y7 >>> 16));
  w0[0] = (w0[0] as number) ^ ((v0 << 24) | (v0 >>> 8)) ^ ((z6 << 8) | (z6 >>> 24));
  w0[1] = (w0[1] as number) ^ ((v1 << 24) | (v1 >>> 8)) ^ ((z7 << 8) | (z7 >>> 24));
  w0[2] = (w0[2] as number) ^ ((v2 << 24) | (v2 >>> 8)) ^ z0;
  w0[3] = (w0[3] as number) ^ ((v3 << 24) | (v3 >>> 8)) ^ z1;
  w0[4] = (w0[4] as number) ^ ((v4 << 24) | (v4 >>> 8)) ^ z2;
  w0[5] = (w0[5] as number) ^ ((v5 << 24) | (v5 >>> 8)) ^ z3;
  w0[6] = (w0[6] as number) ^ ((v6 << 24) | (v6 >>> 8)) ^ z4;
  w0[7] = (w0[7] as number) ^ ((v7 << 24) | (v7 >>> 8)) ^ z5;
}
