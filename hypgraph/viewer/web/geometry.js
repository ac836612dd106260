/*
 * Hyperbolic geometry in polar coordinates, for curvature -1: a point is a radius and a unit direction about a base
 * point. No sum here exceeds twice its result, so that points at radius 36 keep the precision that they came with;
 * coordinates in the disk are derived last.
 */

/**
 * @typedef {{a: number, x: number, y: number}} Point  radius a (geodesic length), unit direction (x, y); the base
 *   point has radius 0 and any direction.
 * @typedef {{re: number, im: number}} Turn  a rotation, as a complex number of modulus 1.
 */

/** @param {number} x @returns {number} sinh²(x/2), also where x is tiny. */
function squareOfHalf(x) {
  const root = Math.sinh(x / 2);
  return root * root;
}

/**
 * Geodesic distance: sinh²(d/2) = sinh²((a-b)/2) + sinh a · sinh b · ‖u - w‖²/4.
 * @param {Point} p @param {Point} q @returns {number}
 */
function distance(p, q) {
  const dx = p.x - q.x, dy = p.y - q.y;
  const square = squareOfHalf(p.a - q.a) + (Math.sinh(p.a) * Math.sinh(q.a) * (dx * dx + dy * dy)) / 4;
  return 2 * Math.asinh(Math.sqrt(square));
}

/** @param {Point} p @returns {Point} */
function opposite(p) {
  return { a: p.a, x: -p.x, y: -p.y };
}

/** @param {Point} p @param {Turn} turn @returns {Point} */
function turned(p, turn) {
  return { a: p.a, x: turn.re * p.x - turn.im * p.y, y: turn.re * p.y + turn.im * p.x };
}

/** @param {Turn} s @param {Turn} t @returns {Turn} one rotation after the other, of modulus 1 again. */
function composed(s, t) {
  const re = s.re * t.re - s.im * t.im, im = s.re * t.im + s.im * t.re;
  const length = Math.hypot(re, im);
  return { re: re / length, im: im / length };
}

/**
 * p ⊕ q: where the geodesic ends that leaves p with q's coordinates, read in the frame that was carried to p.
 * @param {Point} p @param {Point} q @returns {Point}
 */
function translate(p, q) {
  const source = { radius: new Float64Array([q.a]), direction: new Float64Array([q.x, q.y]) };
  const out = new Positions(1);
  translateAll(source, p, { re: 1, im: 0 }, out);
  return out.point(0);
}

/**
 * The rotation gyr[p,q] in p ⊕ (q ⊕ v) = (p ⊕ q) ⊕ gyr[p,q]v: the argument of w², w = 1 + tanh(p/2) tanh(q/2) e^{iφ},
 * φ from q to p. With s the sum of the directions, Re w = 1-τ + τ‖s‖²/2 and Im w = τ sin φ, sin φ = q × s.
 * @param {Point} p @param {Point} q @returns {Turn}
 */
function gyration(p, q) {
  const f = Math.exp(-p.a), g = Math.exp(-q.a);
  const rest = (2 * (f + g)) / ((1 + f) * (1 + g));
  const x = p.x + q.x, y = p.y + q.y;
  const re = rest + ((1 - rest) * (x * x + y * y)) / 2, im = (1 - rest) * (q.x * y - q.y * x);
  const square = re * re + im * im;
  return square > 0 ? composed({ re: (re * re - im * im) / square, im: (2 * re * im) / square }, { re: 1, im: 0 })
                    : { re: 1, im: 0 };
}

/** Many points about one base point, in typed arrays that are filled again and again. */
class Positions {
  /** @param {number} count */
  constructor(count) {
    /** sinh² of half the radius: tanh and sech of it cost no logarithm. */
    this.square = new Float64Array(count);
    this.direction = new Float64Array(2 * count);
  }

  /** @param {number} i @returns {number} geodesic length from the base point */
  radius(i) {
    return 2 * Math.asinh(Math.sqrt(this.square[i]));
  }

  /** @param {number} i @returns {Point} */
  point(i) {
    return { a: this.radius(i), x: this.direction[2 * i], y: this.direction[2 * i + 1] };
  }
}

/**
 * p ⊕ (turn · q) for every point q of the source: sinh(d) n = (sinh(a-b) + 2q (cosh a - 1) sinh b) u + sinh(b) (u+w),
 * q = ‖u+w‖²/4, both sides divided by e^(a+b).
 * @param {{radius: Float64Array, direction: Float64Array}} source
 * @param {Point} p
 * @param {Turn} turn
 * @param {Positions} out
 */
function translateAll(source, p, turn, out) {
  const { radius, direction } = source, { square, direction: to } = out;
  const a = p.a, u = p.x, v = p.y, { re, im } = turn;
  const decayA = Math.exp(-a), lossA = Math.expm1(-a), sinhA = -0.5 * Math.expm1(-2 * a);
  for (let i = 0; i < radius.length; i++) {
    const b = radius[i], wx = re * direction[2 * i] - im * direction[2 * i + 1];
    const wy = re * direction[2 * i + 1] + im * direction[2 * i];
    const near = Math.min(a, b), shrink = Math.expm1(-Math.abs(a - b)), part = Math.exp(-2 * near) * shrink;
    const sinhB = -0.5 * Math.expm1(-2 * b);
    const sx = u + wx, sy = v + wy, q = (sx * sx + sy * sy) / 4;
    square[i] = ((part * shrink) / 4 + sinhA * sinhB * q) * Math.exp(a + b);
    const along = (part * (shrink + 2) * (a > b ? -1 : 1)) / 2 + q * lossA * lossA * sinhB;
    const across = decayA * sinhB;
    let x = along * u + across * sx, y = along * v + across * sy;
    const largest = Math.max(Math.abs(x), Math.abs(y));
    if (largest > 0) {
      x /= largest;
      y /= largest;
      const length = Math.sqrt(x * x + y * y);
      to[2 * i] = x / length;
      to[2 * i + 1] = y / length;
    } else {
      to[2 * i] = a >= b ? u : -u;
      to[2 * i + 1] = a >= b ? v : -v;
    }
  }
}

/**
 * Half of the angle that the geodesic between two points of the screen turns by, positive to the left of the chord.
 * It is the argument of 1 - z̄₁z₂ (which vanishes where two points meet on the boundary), from the parts that do not
 * cancel: 1 - z₁·z₂ = (s₁ + s₂ + ‖z₁-z₂‖²)/2, s = 1 - ‖z‖².
 * @param {number} x first end, pixels from the middle of the disk
 * @param {number} y
 * @param {number} dx second end less the first
 * @param {number} dy
 * @param {number} gaps s₁ + s₂; 2 in the plane
 * @param {number} inverse one over the square of the disk's radius in pixels; 0 in the plane
 * @returns {number} between -π/2 and π/2
 */
function halfTurn(x, y, dx, dy, gaps, inverse) {
  return Math.atan2((x * dy - y * dx) * inverse, (gaps + (dx * dx + dy * dy) * inverse) / 2);
}
