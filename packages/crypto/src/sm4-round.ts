// One round of SM4 on eight blocks at once, bit by bit (GB/T 32907-2016 section 6.2). It works with logic and rotations only, without a
// table or a branch, so that its time does not depend on key or data. It must not know keys' schedules nor modes.
//
// A word of the state is eight 32-bit numbers: number b holds bit b of each of the four bytes of that word in each of the eight
// blocks; the first byte's bits stand in the top eight, one for each block. The S-box is S(x) = A(1 / A'(x)) with A' the same linear
// map A and a constant before, and the same constant after it. Both constants are left out here and are part of the round keys
// (sm4-schedule.ts). The inversion in GF(2^8) is done in GF(2^4), that in GF(2^2), each with normal bases; the bases are those, of all
// that there are, for which a greedy search for common sums found the fewest gates: 123, of which 36 are products.

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
  const t0 = x3 ^ x5;
  const t1 = x4 ^ x7;
  const t2 = x0 ^ t1;
  const t3 = x1 ^ x5;
  const t4 = x0 ^ t0;
  const t5 = x2 ^ x6;
  const t6 = x7 ^ t0;
  const t7 = x1 ^ t5;
  const t8 = x2 ^ x4;
  const t9 = x3 ^ t2;
  const t10 = x2 ^ t2;
  const t11 = x0 ^ t3;
  const t12 = x6 ^ t0;
  const t13 = x1 ^ t8;
  const t14 = x7 ^ t4;
  const t15 = t4 ^ t8;
  const t16 = t7 ^ t9;
  const t17 = t3 ^ t10;
  const t18 = x3 ^ t13;
  const t19 = x5 ^ t1;
  const t20 = t4 ^ t5;
  const t21 = x2 ^ t6;
  const t22 = x1 ^ t2;
  const t23 = t1 ^ t3;
  // D = high * low + norm (high + low)^2 in GF(2^4): the norm of the element.
  const p0 = t3 & t9;
  const p1 = t11 & t19;
  const p2 = x0 & t4;
  const p3 = t10 & t7;
  const p4 = t15 & x1;
  const p5 = t6 & t5;
  const p6 = t17 & t16;
  const p7 = t18 & t23;
  const p8 = t14 & t20;
  const d0 = p7 ^ p8;
  const d1 = p6 ^ p7;
  const d2 = p1 ^ t22;
  const d3 = d1 ^ d2;
  const d4 = p4 ^ d1;
  const d5 = p0 ^ d0;
  const d6 = p3 ^ d0;
  const d7 = p5 ^ t12;
  const d8 = d4 ^ d7;
  const d9 = p2 ^ t0;
  const d10 = p5 ^ t21;
  const d11 = d5 ^ d9;
  const d12 = p2 ^ d3;
  const d13 = d6 ^ d10;
  // E = D^-1 in GF(2^4), by way of GF(2^2), and the sums of its bits that the products below need.
  const u0 = d11 ^ d12;
  const u1 = d13 ^ d8;
  const u2 = d11 ^ d13;
  const u3 = d12 ^ d8;
  const q0 = d11 & d13;
  const q1 = d12 & d8;
  const q2 = u0 & u1;
  const c0 = q0 ^ q2;
  const c1 = c0 ^ u2;
  const c2 = q1 ^ q2;
  const c3 = c2 ^ u2;
  const c4 = c3 ^ u3;
  const c5 = c1 ^ c4;
  const r0 = d13 & c4;
  const r1 = d8 & c1;
  const r2 = u1 & c5;
  const r3 = d11 & c4;
  const r4 = d12 & c1;
  const r5 = u0 & c5;
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
  const s0 = t9 & e3;
  const s1 = t19 & e2;
  const s2 = t4 & f12;
  const s3 = t7 & e1;
  const s4 = x1 & e0;
  const s5 = t5 & f3;
  const s6 = t16 & f10;
  const s7 = t23 & f5;
  const s8 = t20 & f15;
  const s9 = t3 & e3;
  const s10 = t11 & e2;
  const s11 = x0 & f12;
  const s12 = t10 & e1;
  const s13 = t15 & e0;
  const s14 = t6 & f3;
  const s15 = t17 & f10;
  const s16 = t18 & f5;
  const s17 = t14 & f15;
  // From both products to the bits of the result; A once more.
  const o0 = s1 ^ s6;
  const o1 = s2 ^ s5;
  const o2 = s12 ^ o0;
  const o3 = s3 ^ o1;
  const o4 = s11 ^ s14;
  const o5 = s9 ^ o4;
  const o6 = s15 ^ o3;
  const o7 = s2 ^ o2;
  const o8 = s13 ^ s17;
  const o9 = s0 ^ s8;
  const o10 = o2 ^ o3;
  const o11 = s7 ^ o7;
  const o12 = s0 ^ o6;
  const o13 = s8 ^ o10;
  const o14 = s14 ^ s16;
  const o15 = o8 ^ o11;
  const y1 = o5 ^ o13;
  const o17 = s6 ^ o9;
  const o18 = s17 ^ o14;
  const y4 = o5 ^ o11;
  const o20 = o5 ^ o12;
  const o21 = s10 ^ o12;
  const o22 = s11 ^ s16;
  const y0 = s15 ^ o15;
  const o24 = s4 ^ o17;
  const y2 = o8 ^ o20;
  const y3 = o0 ^ o9;
  const y6 = o13 ^ o18;
  const y5 = o21 ^ o22;
  const y7 = o1 ^ o24;
  // L (GB/T 32907-2016 section 6.2.2): z is y + (y <<< 8) + (y <<< 16), so that L y = y + (y <<< 24) + (z <<< 2). A rotation by 8 turns each
  // word; one by 2 moves bit b to bit b + 2, where bits 6 and 7 go into the byte before.
  const z0 = y0 ^ ((y0 << 8) | (y0 >>> 24)) ^ ((y0 << 16) | (y0 >>> 16));
  const z1 = y1 ^ ((y1 << 8) | (y1 >>> 24)) ^ ((y1 << 16) | (y1 >>> 16));
  const z2 = y2 ^ ((y2 << 8) | (y2 >>> 24)) ^ ((y2 << 16) | (y2 >>> 16));
  const z3 = y3 ^ ((y3 << 8) | (y3 >>> 24)) ^ ((y3 << 16) | (y3 >>> 16));
  const z4 = y4 ^ ((y4 << 8) | (y4 >>> 24)) ^ ((y4 << 16) | (y4 >>> 16));
  const z5 = y5 ^ ((y5 << 8) | (y5 >>> 24)) ^ ((y5 << 16) | (y5 >>> 16));
  const z6 = y6 ^ ((y6 << 8) | (y6 >>> 24)) ^ ((y6 << 16) | (y6 >>> 16));
  const z7 = y7 ^ ((y7 << 8) | (y7 >>> 24)) ^ ((y7 << 16) | (y7 >>> 16));
  w0[0] = (w0[0] as number) ^ y0 ^ ((y0 << 24) | (y0 >>> 8)) ^ ((z6 << 8) | (z6 >>> 24));
  w0[1] = (w0[1] as number) ^ y1 ^ ((y1 << 24) | (y1 >>> 8)) ^ ((z7 << 8) | (z7 >>> 24));
  w0[2] = (w0[2] as number) ^ y2 ^ ((y2 << 24) | (y2 >>> 8)) ^ z0;
  w0[3] = (w0[3] as number) ^ y3 ^ ((y3 << 24) | (y3 >>> 8)) ^ z1;
  w0[4] = (w0[4] as number) ^ y4 ^ ((y4 << 24) | (y4 >>> 8)) ^ z2;
  w0[5] = (w0[5] as number) ^ y5 ^ ((y5 << 24) | (y5 >>> 8)) ^ z3;
  w0[6] = (w0[6] as number) ^ y6 ^ ((y6 << 24) | (y6 >>> 8)) ^ z4;
  w0[7] = (w0[7] as number) ^ y7 ^ ((y7 << 24) | (y7 >>> 8)) ^ z5;
}
