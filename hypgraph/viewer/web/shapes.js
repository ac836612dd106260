/* What is drawn, as shapes on the screen: pixels from the middle of the disk, y downwards. */

/**
 * Kinds of lines between nodes: width and dashes in pixels, and the opacity of a few.
 * @type {Object<string, {label: string, width: number, dash: number[], alpha: number}>}
 */
const LINKS = {
  edges: { label: "Edges", width: 1.1, dash: [], alpha: 1 },
  found: { label: "Held-out edges, found", width: 1.8, dash: [9, 4], alpha: 0.85 },
  missed: { label: "Held-out edges, missed", width: 1.8, dash: [2.5, 3.5], alpha: 0.95 },
  predicted: { label: "Predicted new edges", width: 2.2, dash: [], alpha: 0.9 },
};
const MANY_HELD_OUT = 300; // held-out edges that are not shown before they are asked for
const STRAIGHT = 0.25; // pixels that an arc may differ from its chord to be drawn as one
const FLATTEST = 1e5; // pixels of radius beyond which canvas and SVG renderers draw circles badly

/** Fainter where there are many. @param {string} kind @param {number} count @returns {number} opacity */
function linkAlpha(kind, count) {
  if (kind === "edges") return Math.max(0.06, Math.min(0.55, 0.85 - 0.17 * Math.log10(count + 1)));
  return LINKS[kind].alpha * Math.min(1, Math.pow(120 / Math.max(count, 1), 0.4));
}

/** @param {number} count of nodes @returns {number} pixels */
function nodeRadius(count) {
  return 11.5 * Math.pow(Math.max(count, 10), -0.16);
}

/** Nodes near the boundary are smaller. @param {number} base @param {number} gap @param {number} zoom @returns {number} */
function shownSize(base, gap, zoom) {
  return base * (0.4 + 0.6 * Math.sqrt(gap)) * Math.min(2, Math.max(1, Math.pow(zoom, 0.2)));
}

/**
 * The geodesic from one node to another: an arc of a circle, or a chord where nobody could tell.
 * @param {Frame} frame @param {number} i @param {number} j
 * @returns {{x1: number, y1: number, x2: number, y2: number, radius: number, left: boolean, x: number, y: number}}
 *   ends; radius 0 for a chord, else the middle (x, y) of the circle and whether the arc bulges to its left.
 */
function geodesic(frame, i, j) {
  const { xy, gap } = frame, x1 = xy[2 * i], y1 = xy[2 * i + 1], x2 = xy[2 * j], y2 = xy[2 * j + 1];
  const dx = x2 - x1, dy = y2 - y1, chord = Math.sqrt(dx * dx + dy * dy);
  const turn = halfTurn(x1, y1, dx, dy, gap[i] + gap[j], frame.inverse);
  if (frame.flat || Math.abs(turn) * chord < 4 * STRAIGHT) return { x1, y1, x2, y2, radius: 0, left: false, x: 0, y: 0 };
  const signed = chord / (2 * Math.sin(turn)), back = (signed * Math.cos(turn)) / chord;
  const radius = Math.abs(signed);
  return { x1, y1, x2, y2, radius: radius > FLATTEST ? 0 : radius, left: turn > 0,
           x: (x1 + x2) / 2 + dy * back, y: (y1 + y2) / 2 - dx * back };
}

/**
 * A circle of geodesic radius ρ about a node: in the disk its middle is 2z/((2-s) + s cosh ρ), s = 1 - ‖z‖², and its
 * radius s sinh ρ over the same.
 * @param {Frame} frame @param {number} i @param {number} rho for curvature -1
 * @returns {{x: number, y: number, radius: number}}
 */
function circleAbout(frame, i, rho) {
  const { xy, gap, scale } = frame, x = xy[2 * i], y = xy[2 * i + 1];
  if (frame.flat) return { x, y, radius: rho * frame.perLength };
  const whole = 2 - gap[i] + gap[i] * Math.cosh(rho);
  return { x: (2 * x) / whole, y: (2 * y) / whole, radius: (scale * gap[i] * Math.sinh(rho)) / whole };
}

/**
 * Circles about the middle of the screen: lengths that are 1, 2 or 5 times a power of ten, and pixels.
 * @param {Frame} frame @returns {{length: number, radius: number}[]}
 */
function rings(frame) {
  const { scale, flat, reach, rootC, spread, middle } = frame, linear = flat || spread, per = rootC * frame.perLength;
  const seen = linear ? (0.97 * reach) / per : (2 * Math.atanh(Math.min(0.97, (0.97 * reach) / scale))) / rootC;
  const most = spread ? 7 : 5, power = Math.pow(10, Math.floor(Math.log10(seen / most)));
  const step = [1, 2, 5, 10].map((digit) => digit * power).find((length) => seen / length <= most);
  const away = Math.hypot(middle.x, middle.y); // 0 but in a magnified picture of the layout "spread"
  const first = spread ? Math.max(0, Math.floor((away - frame.corner) / per / step)) : 0;
  const farthest = spread ? Math.min(scale, away + frame.corner) / per : seen;
  return Array.from({ length: Math.max(0, Math.floor((farthest / step) * (1 + 1e-12)) - first) }, (_, k) => {
    const length = (first + k + 1) * step;
    return { length, radius: linear ? length * per : scale * Math.tanh((rootC * length) / 2) };
  });
}

/** @param {number} value @returns {string} four digits at most */
function short(value) {
  return Number(value.toPrecision(4)).toString();
}
