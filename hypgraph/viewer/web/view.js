/*
 * What of the space is on the screen. Nodes never move: a view is one isometry of the data, and every drag makes a
 * new one, so that distances cannot drift. The plane and the disk answer to the same names.
 */

const NO_TURN = Object.freeze({ re: 1, im: 0 });
const CENTRE = Object.freeze({ a: 0, x: 1, y: 0 });
const FARTHEST = 8; // where a mouse that leaves the disk stays
const REBASE_BEYOND = 4;
const OUTERMOST = 80; // geodesic length from the anchor beyond which a view shows nothing, and is not entered

/** T_by after T_at ∘ turn. @param {Point} by @param {{at: Point, turn: Turn}} view @returns {{at: Point, turn: Turn}} */
function afterwards(by, { at, turn }) {
  return { at: translate(by, at), turn: composed(gyration(by, at), turn) };
}

/**
 * The isometry T_b ∘ R: coordinates about an anchor node, turned by R, carried from the middle of the screen to b,
 * where the anchor is shown. Near the anchor all is exact however far it lies from the data's origin, and the anchor
 * is changed for one that is nearer the middle as the view moves on.
 */
class DiskView {
  /**
   * @param {{radius: Float64Array, direction: Float64Array}} nodes  radii for curvature -1
   * @param {number} first  in the middle at the beginning; -1 for the origin
   */
  constructor(nodes, first) {
    this.nodes = nodes;
    this.first = first;
    this.count = nodes.radius.length;
    this.about = { radius: new Float64Array(this.count), direction: new Float64Array(2 * this.count) };
    this.shown = new Positions(this.count);
    this.home();
  }

  /** Back to the view of the beginning: upright about the data's own origin, or the first node. */
  home() {
    this.anchor = -1;
    this.about.radius.set(this.nodes.radius);
    this.about.direction.set(this.nodes.direction);
    this.place(CENTRE, NO_TURN);
    if (this.first >= 0) this.approach(this.first)(1);
  }

  /** @param {Point} at where the anchor is shown @param {Turn} turn */
  place(at, turn) {
    if (at.a > OUTERMOST && this.at && at.a > this.at.a) return;
    this.at = at;
    this.turn = turn;
    translateAll(this.about, at, turn, this.shown);
  }

  /** @param {number} i @returns {Point} in the data's coordinates; the origin for -1 */
  node(i) {
    const { radius, direction } = this.nodes;
    return i < 0 ? CENTRE : { a: radius[i], x: direction[2 * i], y: direction[2 * i + 1] };
  }

  /**
   * Another anchor, the same picture: with y the new one about the old, T_b R = T_(b⊕Ry) gyr[b,Ry] R gyr[⊖x,x′].
   * @param {number} i
   */
  anchorAt(i) {
    if (i === this.anchor) return;
    const back = opposite(this.node(this.anchor)), { radius, direction } = this.about;
    const y = turned({ a: radius[i], x: direction[2 * i], y: direction[2 * i + 1] }, this.turn);
    const turn = composed(composed(gyration(this.at, y), this.turn), gyration(back, this.node(i)));
    const at = this.shown.point(i), about = new Positions(this.count);
    translateAll(this.nodes, opposite(this.node(i)), NO_TURN, about);
    for (let k = 0; k < this.count; k++) this.about.radius[k] = about.radius(k);
    this.about.direction.set(about.direction);
    this.about.radius[i] = 0;
    this.anchor = i;
    this.place(at, turn);
  }

  /** Takes for anchor the node nearest the middle, once the old one is far away. */
  settle() {
    if (this.count === 0 || this.at.a < REBASE_BEYOND) return;
    const nearest = this.nearest();
    if (this.shown.radius(nearest) < this.at.a - REBASE_BEYOND / 2) this.anchorAt(nearest);
  }

  /** @returns {number} the node nearest the middle of the screen */
  nearest() {
    const { square } = this.shown;
    let best = 0;
    for (let i = 1; i < square.length; i++) if (square[i] < square[best]) best = i;
    return best;
  }

  /** @param {Point} by  T_by after what is shown */
  translate(by) {
    const { at, turn } = afterwards(by, this);
    this.place(at, turn);
  }

  /**
   * A function that moves what was at one point of the screen to another, along the geodesic between the two. All
   * its calls start from the view as it is now: a drag that comes back leaves no trace.
   * @param {Point} from
   * @param {number} node  the one that is held, or -1
   * @returns {(to: Point) => void}
   */
  grab(from, node) {
    this.settle();
    if (node >= 0) this.anchorAt(node);
    const { at, turn } = this;
    if (node >= 0) return (to) => this.place(to, composed(gyration(to, opposite(at)), turn));
    return (to) => {
      let state = { at, turn };
      for (const by of [opposite(from), translate(opposite(from), to), from]) state = afterwards(by, state);
      this.place(state.at, state.turn);
    };
  }

  /**
   * The same along the ray of a point: for pictures in which far points are far apart.
   * @param {Point} from
   * @returns {(radius: number) => void}
   */
  pull(from) {
    this.settle();
    const { at, turn } = this;
    return (radius) => {
      const by = radius - from.a, sign = by < 0 ? -1 : 1;
      const state = afterwards({ a: Math.abs(by), x: sign * from.x, y: sign * from.y }, { at, turn });
      this.place(state.at, state.turn);
    };
  }

  /** @returns {Point} the middle of the screen in the data's coordinates */
  middle() {
    return translate(this.node(this.anchor), turned(opposite(this.at), { re: this.turn.re, im: -this.turn.im }));
  }

  /** @returns {Point} where the data's origin is shown */
  origin() {
    return translate(this.at, turned(opposite(this.node(this.anchor)), this.turn));
  }

  /**
   * A function of the time from 0 to 1, at whose end a node is in the middle. Anchors change on the way: about one that
   * is far away what is near would lose its digits.
   * @param {number} node
   * @returns {(time: number) => void}
   */
  approach(node) {
    const length = this.shown.radius(node);
    return (time) => {
      this.settle();
      if (time >= 1) {
        this.anchorAt(node);
        this.place(CENTRE, this.turn);
        return;
      }
      const { a, x, y } = this.shown.point(node), by = a - length * (1 - time), sign = by < 0 ? 1 : -1;
      this.translate({ a: Math.abs(by), x: sign * x, y: sign * y });
    };
  }

  /** @param {number} x pixels over the disk's radius, y upwards @param {number} y @returns {Point} */
  pointAt(x, y) {
    const length = Math.hypot(x, y);
    if (length === 0) return CENTRE;
    const a = length < Math.tanh(FARTHEST / 2) ? 2 * Math.atanh(length) : FARTHEST;
    return { a, x: x / length, y: y / length };
  }

  /**
   * Enlarges about a point of the screen: the point stays, so that the space moves under the middle.
   * @param {number} x over the disk's radius as it was @param {number} y @param {number} factor
   */
  zoomAbout(x, y, factor) {
    if (Math.hypot(x, y) * Math.max(1, 1 / factor) >= 0.99) return;
    const before = this.pointAt(x, y), after = this.pointAt(x / factor, y / factor);
    const step = after.a - before.a, sign = Math.sign(step);
    if (step !== 0) this.translate({ a: Math.abs(step), x: sign * before.x, y: sign * before.y });
    this.settle();
  }

  /** @param {number} i @returns {number} what its size is multiplied by: 1 - ‖z‖² at the place of a node */
  gap(i) {
    return 1 / (1 + this.shown.square[i]);
  }

  /**
   * Pixels from the middle of the disk, y downwards, in float64.
   * @param {number} scale the disk's radius in pixels @param {Float64Array} xy @param {Float64Array} gap
   */
  project(scale, xy, gap) {
    const { square, direction } = this.shown;
    for (let i = 0; i < square.length; i++) {
      const rest = 1 / (1 + square[i]), length = scale * Math.sqrt(square[i] * rest);
      xy[2 * i] = length * direction[2 * i];
      xy[2 * i + 1] = -length * direction[2 * i + 1];
      gap[i] = rest;
    }
  }

  /** @param {number} i @param {number} j @returns {number} from the data's own coordinates */
  distance(i, j) {
    return distance(this.node(i), this.node(j));
  }

  /** @param {number} i @returns {number} the geodesic distance from the middle of the screen */
  shownRadius(i) {
    return this.shown.radius(i);
  }
}

/** The plane: a translation, and a unit of length that shows all nodes. */
class PlaneView {
  /** @param {{radius: Float64Array, direction: Float64Array}} nodes */
  constructor(nodes) {
    this.count = nodes.radius.length;
    this.xy = new Float64Array(2 * this.count);
    for (let k = 0; k < 2 * this.count; k++) this.xy[k] = nodes.radius[k >> 1] * nodes.direction[k];
    this.fit();
    this.home();
  }

  /** The middle of the nodes, and half of their extent. */
  fit() {
    const low = [Infinity, Infinity], high = [-Infinity, -Infinity];
    for (let k = 0; k < this.xy.length; k++) {
      low[k % 2] = Math.min(low[k % 2], this.xy[k]);
      high[k % 2] = Math.max(high[k % 2], this.xy[k]);
    }
    this.middle = this.count ? { x: (low[0] + high[0]) / 2, y: (low[1] + high[1]) / 2 } : { x: 0, y: 0 };
    this.unit = (this.count && Math.max(high[0] - low[0], high[1] - low[1]) / 1.9) || 1;
  }

  home() {
    this.at = { ...this.middle };
  }

  settle() {}

  /** @returns {number} */
  nearest() {
    let best = 0;
    for (let i = 1; i < this.count; i++) if (this.shownRadius(i) < this.shownRadius(best)) best = i;
    return best;
  }

  /** @param {{x: number, y: number}} from @param {number} node @returns {(to: {x: number, y: number}) => void} */
  grab(from, node) {
    const { at, xy } = this;
    const held = node < 0 ? { x: at.x + from.x, y: at.y + from.y } : { x: xy[2 * node], y: xy[2 * node + 1] };
    return (to) => {
      this.at = { x: held.x - to.x, y: held.y - to.y };
    };
  }

  /** @param {number} node @returns {(time: number) => void} */
  approach(node) {
    const { at, xy } = this, x = xy[2 * node], y = xy[2 * node + 1];
    return (time) => {
      this.at = time >= 1 ? { x, y } : { x: at.x + time * (x - at.x), y: at.y + time * (y - at.y) };
    };
  }

  /** @param {number} x @param {number} y @returns {{x: number, y: number}} */
  pointAt(x, y) {
    return { x: x * this.unit, y: y * this.unit };
  }

  /** @param {number} x @param {number} y @param {number} factor */
  zoomAbout(x, y, factor) {
    const share = (1 - 1 / factor) * this.unit;
    this.at = { x: this.at.x + share * x, y: this.at.y + share * y };
  }

  /** @param {number} scale @param {Float64Array} out @param {Float64Array} gap */
  project(scale, out, gap) {
    const { xy, at } = this, per = scale / this.unit;
    for (let i = 0; i < gap.length; i++) {
      out[2 * i] = per * (xy[2 * i] - at.x);
      out[2 * i + 1] = -per * (xy[2 * i + 1] - at.y);
      gap[i] = 1;
    }
  }

  /** @param {number} i @param {number} j @returns {number} */
  distance(i, j) {
    return Math.hypot(this.xy[2 * i] - this.xy[2 * j], this.xy[2 * i + 1] - this.xy[2 * j + 1]);
  }

  /** @param {number} i @returns {number} */
  shownRadius(i) {
    return Math.hypot(this.xy[2 * i] - this.at.x, this.xy[2 * i + 1] - this.at.y);
  }
}
