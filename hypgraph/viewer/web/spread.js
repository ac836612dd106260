/*
 * The layout "spread out": a node is drawn as far from the middle as it is, and at an angle of its own. True angles
 * shrink with e^(-radius), so that whole subtrees share a ray; here angles keep their order alone, and each node gets
 * room. The isometry of the view is that of the disk; this only draws it in another way.
 */

const INNER_WEIGHT = 0.05; // of a node with several edges; leaves have 1
const SMALL_SORT = 12;
const ONE = 4e-15; // directions that differ by less may be one
const LEAST_RADIUS = 1e-9, LEAST_COSINE = 1e-9; // where formulas divide by what vanishes in the middle

/**
 * Sorts order[from..to] by key, stably; what is nearly in order costs little.
 * @param {Uint32Array} order @param {Uint32Array} spare @param {number} from @param {number} to @param {Float64Array} key
 */
function sortPart(order, spare, from, to, key) {
  if (to - from <= SMALL_SORT) {
    for (let k = from + 1; k < to; k++) {
      const one = order[k], value = key[one];
      let at = k;
      for (; at > from && key[order[at - 1]] > value; at--) order[at] = order[at - 1];
      order[at] = one;
    }
    return;
  }
  const half = (from + to) >>> 1;
  sortPart(order, spare, from, half, key);
  sortPart(order, spare, half, to, key);
  if (key[order[half - 1]] <= key[order[half]]) return;
  for (let k = from; k < half; k++) spare[k] = order[k];
  for (let i = from, j = half, k = from; i < half; k++)
    order[k] = j < to && key[order[j]] < key[spare[i]] ? order[j++] : spare[i++];
}

/** Nodes in the order of their directions, with all the digits that these have. */
class Around {
  /** @param {number} count */
  constructor(count) {
    this.quarter = new Uint8Array(count); // of the circle about the axes: right, up, left, down
    this.tangent = new Float64Array(count); // from that axis: relative precision about each of the four
    this.order = new Uint32Array(count);
    this.spare = new Uint32Array(count);
  }

  /** @param {number} x @param {number} y @returns {number} the quarter of a direction */
  static quarterOf(x, y) {
    return Math.abs(x) >= Math.abs(y) ? (x >= 0 ? 0 : 2) : y > 0 ? 1 : 3;
  }

  /** @param {Float64Array} direction @param {Uint32Array} ties  the order of those whose directions are equal */
  sort(direction, ties) {
    const { quarter, tangent, order, spare } = this, { length } = order, ends = [0, 0, 0, 0];
    for (let i = 0; i < length; i++) {
      const x = direction[2 * i], y = direction[2 * i + 1], q = Around.quarterOf(x, y);
      quarter[i] = q;
      tangent[i] = q & 1 ? -x / y : y / x;
      ends[q] += 1;
    }
    for (let q = 1; q < 4; q++) ends[q] += ends[q - 1];
    const next = [0, ends[0], ends[1], ends[2]];
    for (const i of ties) order[next[quarter[i]]++] = i;
    for (let q = 0; q < 4; q++) sortPart(order, spare, q ? ends[q - 1] : 0, ends[q], tangent);
  }

  /** @param {number} i @returns {number} its angle, from -π/4 on */
  angle(i) {
    return (this.quarter[i] * Math.PI) / 2 + Math.atan(this.tangent[i]);
  }

  /** @param {number} x @param {number} y @returns {number} how many come before this direction */
  before(x, y) {
    const q = Around.quarterOf(x, y), tangent = q & 1 ? -x / y : y / x;
    let low = 0, high = this.order.length;
    while (low < high) {
      const at = (low + high) >>> 1, i = this.order[at];
      if (this.quarter[i] < q || (this.quarter[i] === q && this.tangent[i] < tangent)) low = at + 1;
      else high = at;
    }
    return low;
  }
}

/**
 * Angles with room for each node, of what a view shows. Nodes share the circle by weights, which vanish in the middle:
 * one that passes there moves no other. Far nodes keep their order wherever the middle goes, and the circle is turned
 * so that on average they also keep their places.
 */
class Spread {
  /** @param {DiskView} view @param {Int32Array} pairs  edges */
  constructor(view, pairs) {
    const { count, nodes } = view, edges = new Uint32Array(count);
    for (const end of pairs) edges[end] += 1;
    this.view = view;
    this.weight = Float64Array.from(edges, (degree) => (degree > 1 ? INNER_WEIGHT : 1));
    this.share = new Float64Array(count); // of the circle, in units of a leaf far away
    this.radius = new Float64Array(count);
    this.angle = new Float64Array(count); // true ones, from -π/4 on
    this.image = new Float64Array(count); // spread out, in the same order
    this.farthest = 1;
    this.around = new Around(count); // as the screen shows them
    this.data = new Around(count);
    this.rank = new Float64Array(count);
    this.data.sort(nodes.direction, Uint32Array.from({ length: count }, (_, i) => i));
    this.place = new Uint32Array(count); // in the order of the data
    this.data.order.forEach((i, k) => (this.place[i] = k));
    this.usual = new Float64Array(count); // images of the beginning
    this.turn = 0; // since then
    this.face();
    this.usual.set(this.image);
    this.turn = 0;
  }

  /** Nodes in the order of their angles, from the end of a gap on; that of the data where digits do not tell. */
  arrange() {
    const { view, around, data, angle } = this, { count } = view;
    around.sort(view.shown.direction, data.order);
    for (let i = 0; i < count; i++) angle[i] = around.angle(i);
    const order = around.order, before = (k) => (k ? angle[order[k - 1]] : angle[order[count - 1]] - 2 * Math.PI);
    let first = 0;
    while (first < count && angle[order[first]] - before(first) < ONE) first += 1;
    if (first > 0 && first < count) {
      for (let k = 0; k < first; k++) angle[order[k]] += 2 * Math.PI;
      const moved = order.slice(0, first);
      order.copyWithin(0, first);
      order.set(moved, count - first);
    }
    for (let k = 0, from = 0; k < count; k++) {
      if (k + 1 < count && angle[order[k + 1]] - angle[order[k]] < ONE) continue;
      if (k > from) this.arrangeOne(from, k + 1);
      from = k + 1;
    }
  }

  /**
   * Those of one direction: far away no isometry changes their order around the circle. As seen from the middle, what
   * lies behind the origin begins at the ray of the middle; all else that looks like one is narrow in the data too.
   */
  arrangeOne(from, to) {
    const { view, around, data, place, rank } = this, { direction } = view.nodes, { count } = view;
    const i = around.order[from], seen = view.shown.direction, { middle, origin } = this.ends;
    const behind = middle.a > 0 && seen[2 * i] * origin.x + seen[2 * i + 1] * origin.y > 0;
    const start = behind ? data.before(middle.x, middle.y) : data.before(-direction[2 * i], -direction[2 * i + 1]);
    for (let k = from; k < to; k++) {
      const node = around.order[k], after = place[node] - start;
      rank[node] = after < 0 ? after + count : after;
    }
    sortPart(around.order, around.spare, from, to, rank);
  }

  /** Turns the picture so that nodes differ from their true angles by nothing on average. */
  face() {
    this.update();
    const { angle, image, share } = this;
    let total = 0, moved = 0;
    for (let i = 0; i < share.length; i++) {
      total += share[i];
      moved += share[i] * (angle[i] - image[i]);
    }
    if (total > 0) this.turn += moved / total;
    this.update();
  }

  /** Follows the view. */
  update() {
    const { view, around, radius, angle, image, weight, share, usual } = this, { square } = view.shown;
    this.ends = { middle: view.middle(), origin: view.origin() };
    this.arrange();
    let total = 0, farthest = 0, along = 0, across = 0;
    for (let k = 0; k < view.count; k++) {
      const i = around.order[k];
      share[i] = weight[i] * (1 - 1 / (1 + square[i]));
      radius[i] = view.shown.radius(i);
      farthest = Math.max(farthest, radius[i]);
      image[i] = total + share[i] / 2;
      total += share[i];
    }
    this.farthest = farthest || 1;
    for (let i = 0; i < view.count; i++) {
      image[i] = total > 0 ? (2 * Math.PI * image[i]) / total : angle[i];
      along += share[i] * Math.cos(usual[i] - image[i]);
      across += share[i] * Math.sin(usual[i] - image[i]);
    }
    const turn = this.turn + Math.atan2(across, along);
    for (let i = 0; i < view.count; i++) image[i] += turn;
  }

  /** @returns {(image: number) => number} the true angle at a place of the picture, as it is now */
  inverse() {
    const { order } = this.around, images = Float64Array.from(order, (i) => this.image[i]);
    const angles = Float64Array.from(order, (i) => this.angle[i]), { length } = images;
    return (image) => {
      if (length === 0) return image;
      const turns = Math.floor((image - images[0]) / (2 * Math.PI)), at = image - 2 * Math.PI * turns;
      let low = 0, high = length;
      while (high - low > 1) {
        const half = (low + high) >>> 1;
        if (images[half] <= at) low = half;
        else high = half;
      }
      const last = low + 1 === length, width = (last ? images[0] + 2 * Math.PI : images[low + 1]) - images[low];
      const step = (last ? angles[0] + 2 * Math.PI : angles[low + 1]) - angles[low];
      return angles[low] + (width > 0 ? (step * (at - images[low])) / width : 0) + 2 * Math.PI * turns;
    };
  }
}

/** @param {number} x @returns {number} log sinh x, -∞ at 0 */
function logSinh(x) {
  return x > 0 ? x + Math.log(-Math.expm1(-2 * x)) - Math.LN2 : -Infinity;
}

/**
 * The geodesic between two nodes about the middle, its radius exact, its angle stretched evenly from the one image to
 * the other. At the share f of the angle 2h, coth r - 1 = q is, over cos h,
 *   (coth a - 1) ρ(1-f) cos((1-f)h) + (coth b - 1) ρ(f) cos(fh) + 2 ρ(f) ρ(1-f) sin²h,   ρ(f) = sin(fh)/sin h;
 * h comes from the two radii and the length d of the edge, which are exact where the two directions are one:
 *   sin²h = sinh((d+a-b)/2) sinh((d-a+b)/2)/(sinh a sinh b), and cos²h with (a+b+d)/2 and (a+b-d)/2.
 * @param {number} a @param {number} b radii @param {number} d @param {number} pieces  how many straight lines
 * @returns {{share: Float64Array, radius: Float64Array}} pieces + 1 of each
 */
function profile(a, b, d, pieces) {
  const share = new Float64Array(pieces + 1), radius = new Float64Array(pieces + 1);
  const p = Math.max(a, LEAST_RADIUS), q = Math.max(b, LEAST_RADIUS), both = logSinh(p) + logSinh(q);
  const sine = logSinh((d + p - q) / 2) + logSinh((d - p + q) / 2) - both;
  const cosine = logSinh((p + q + d) / 2) + logSinh((p + q - d) / 2) - both;
  const h = Math.atan2(Math.exp(sine / 2), Math.exp(cosine / 2)), narrow = h < 1e-3;
  const excess = (x) => -x - logSinh(x); // log(coth x - 1)
  for (let k = 1; k < pieces; k++) {
    const f = shareAt(k / pieces), g = 1 - f;
    const rf = narrow ? f : Math.sin(f * h) / Math.sin(h), rg = narrow ? g : Math.sin(g * h) / Math.sin(h);
    const terms = [excess(p) + Math.log(rg * Math.cos(g * h)), excess(q) + Math.log(rf * Math.cos(f * h)),
                   Math.LN2 + Math.log(rf * rg) + sine];
    const most = Math.max(...terms), sum = terms.reduce((rest, term) => rest + Math.exp(term - most), 0);
    const log = most + Math.log(sum) - Math.log(Math.max(Math.cos(h), LEAST_COSINE));
    share[k] = f;
    radius[k] = log < -40 ? (Math.LN2 - log) / 2 : Math.log1p(2 * Math.exp(-log)) / 2;
  }
  share[pieces] = 1;
  radius[0] = a;
  radius[pieces] = b;
  return { share, radius };
}

/** Dense where geodesics leave the rays. @param {number} t from 0 to 1 @returns {number} from 0 to 1 */
function shareAt(t) {
  return t * t * t * (10 - 15 * t + 6 * t * t);
}

/**
 * An edge of the layout on the screen.
 * @param {Frame} frame @param {number} i @param {number} j @param {number} d  its length @param {number} most  pieces
 * @returns {Float64Array} x and y of each point
 */
function spreadCurve({ spread, middle, perLength }, i, j, d, most) {
  const { radius, angle, image } = spread;
  const around = angle[j] - angle[i], wrap = around > Math.PI ? -2 * Math.PI : around < -Math.PI ? 2 * Math.PI : 0;
  const sweep = image[j] - image[i] + wrap, pieces = Math.min(most, Math.ceil(12 + 12 * Math.abs(sweep)));
  const { share, radius: r } = profile(radius[i], radius[j], d, pieces), points = new Float64Array(2 * (pieces + 1));
  for (let k = 0; k <= pieces; k++) {
    const at = image[i] + share[k] * sweep;
    points[2 * k] = middle.x + perLength * r[k] * Math.cos(at);
    points[2 * k + 1] = middle.y - perLength * r[k] * Math.sin(at);
  }
  return points;
}

/** @param {number} count of edges @returns {number} straight pieces of each, at most */
function spreadPieces(count) {
  return count > 20000 ? 10 : count > 4000 ? 14 : count > 1500 ? 28 : 48;
}
