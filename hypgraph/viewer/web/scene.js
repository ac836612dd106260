/* The picture: what is shown, where, and when it is drawn again. */

const ZOOM_LEAST = 0.5, ZOOM_MOST = 1e6, ZOOM_OF_GL = 16; // beyond, float32 and few pieces would show in the arcs
const SLOW = 50, LEAST_SHARE = 1 / 32; // ms between frames from which a moving picture draws fewer edges; how few
const LABELS_EVERY = 140; // ms between new choices of labels while something moves
const NEAR = 1.5; // √c·radius up to which a drag of the layout "spread" is that of the disk
const SPREAD_SIZE = 0.4; // 1 - ‖z‖² of a node that would be drawn as large as all are in that layout

/**
 * @typedef {{xy: Float64Array, gap: Float64Array, width: number, height: number, scale: number, inverse: number,
 *   reach: number, corner: number, flat: boolean, rootC: number, perLength: number, spread: ?Spread,
 *   middle: {x: number, y: number}}} Frame
 *   pixels from the middle of the window, 1 - ‖z‖², window, the disk's radius in pixels, one over its square (0 in the
 *   plane), half of the shorter side, half of the diagonal and a margin, whether it is the plane, √c, pixels a length
 *   (in the plane, or √c·length in the layout "spread"), that layout where it is chosen, where the middle of the space is.
 */

class Scene {
  /** @param {Data} data @param {{ground: HTMLCanvasElement, gl: HTMLCanvasElement, flat: HTMLCanvasElement,
   *   over: HTMLCanvasElement}} canvases @param {boolean} wantsGl */
  constructor(data, canvases, wantsGl) {
    this.data = data;
    this.canvases = canvases;
    const nodes = nodesOf(data), flat = data.c === 0;
    this.view = flat ? new PlaneView(nodes) : new DiskView(nodes, data.first);
    this.frame = { xy: new Float64Array(2 * data.count), gap: new Float64Array(data.count), width: 1, height: 1, scale: 1,
                   inverse: 0, reach: 1, corner: 1, flat, rootC: flat ? 1 : Math.sqrt(data.c), perLength: 1,
                   spread: null, middle: { x: 0, y: 0 } };
    this.zoom = 1;
    this.extent = null; // √c·length up to the rim of the layout "spread", where it is held; else to the farthest node
    this.selected = this.hovered = -1;
    const few = data.links.found.length + data.links.missed.length <= 2 * MANY_HELD_OUT;
    this.shows = { edges: true, found: few, missed: few, predicted: false, scale: false, names: true, rings: true };
    this.share = 1; // of the edges, while something moves
    this.slow = 0;
    this.held = false;
    this.prepareNodes();
    this.labels = new Labels(this);
    this.useTheme(false);
    this.colourBy("", null);
    this.startGl(wantsGl);
    if (!flat) this.useLayout(data.layout);
  }

  /** @param {string} layout "disk" or "spread", of a hyperbolic space */
  useLayout(layout) {
    this.halt();
    this.made = this.made || new Spread(this.view, this.data.links.edges);
    this.frame.spread = layout === "spread" ? this.made : null;
    this.made.face();
    this.frame.middle = { x: 0, y: 0 };
    this.zoom = 1;
    this.chosenAt = 0;
    this.invalidate();
  }

  /** @param {string} kind of lines @returns {Float64Array} their lengths for curvature -1, by the data's own coordinates */
  lengths(kind) {
    this.measured = this.measured || {};
    const { view, data } = this, pairs = data.links[kind];
    const length = (_, k) => view.distance(pairs[2 * k], pairs[2 * k + 1]);
    this.measured[kind] = this.measured[kind] || Float64Array.from({ length: pairs.length / 2 }, length);
    return this.measured[kind];
  }

  prepareNodes() {
    const { count, degree } = this.data, most = degree ? Math.log1p(degree.reduce((a, b) => Math.max(a, b), 0)) : 0;
    this.base = new Float32Array(count).fill(nodeRadius(count));
    for (let i = 0; i < count && most > 0; i++) this.base[i] *= 0.85 + (0.75 * Math.log1p(degree[i])) / most;
    this.order = Uint32Array.from({ length: count }, (_, i) => i).sort((i, j) => this.base[i] - this.base[j]);
  }

  startGl(wanted) {
    this.renderer = null;
    if (!wanted) return;
    try {
      this.renderer = new GlRenderer(this.canvases.gl, this);
      this.canvases.gl.addEventListener("webglcontextlost", () => this.dropGl());
    } catch (error) {
      this.withoutGl = error.message; // the canvas draws the same, slower
    }
  }

  dropGl() {
    this.renderer = null;
    this.invalidate();
  }

  /** @param {boolean} dark */
  useTheme(dark) {
    this.dark = dark;
    this.theme = THEMES[dark ? "dark" : "light"];
    const share = (name) => [name, rgb(this.theme[name]).map((part) => part / 255)];
    this.palette = Object.fromEntries(Object.keys(this.theme).map(share));
  }

  /** @param {string} by @param {?Set<number>} only @returns {?object} the legend */
  colourBy(by, only) {
    const { rgba, legend } = colouring(this.data, by, this.dark, only);
    this.rgba = rgba;
    if (this.renderer) this.renderer.recolour();
    this.invalidate();
    return legend;
  }

  /** @returns {string[]} kinds of lines that are drawn */
  shownLinks() {
    return Object.keys(LINKS).filter((kind) => this.shows[kind] && this.data.links[kind].length);
  }

  /** @returns {boolean} whether σ is drawn: in the layout "spread" nothing across the rays has its length */
  showsCircles() {
    return Boolean(this.shows.scale && this.data.scale && !this.frame.spread);
  }

  /** @param {number} k of the predicted pairs @returns {number} its opacity */
  certainty(k) {
    return 0.35 + 0.65 * this.data.probability[k];
  }

  /** Fits the canvases to the window. */
  resize() {
    const { width, height } = this.canvases.over.getBoundingClientRect(), ratio = Math.min(window.devicePixelRatio || 1, 2);
    Object.assign(this.frame, { width: Math.max(width, 1), height: Math.max(height, 1) });
    this.ratio = ratio;
    for (const canvas of Object.values(this.canvases)) {
      canvas.width = Math.round(this.frame.width * ratio);
      canvas.height = Math.round(this.frame.height * ratio);
    }
    this.invalidate();
  }

  /** Draws soon, once. */
  invalidate() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame((now) => {
      this.waiting = false;
      this.pace(now);
      this.draw();
    });
  }

  /** Half as many edges after two slow frames of a movement, so that it stays smooth; all of them at rest. */
  pace(now) {
    const moves = this.held || Boolean(this.running), between = now - this.paced;
    this.slow = moves && this.moved && between > SLOW ? this.slow + 1 : 0;
    if (!moves) this.share = 1;
    else if (this.slow === 2) [this.share, this.slow] = [Math.max(LEAST_SHARE, this.share / 2), 0];
    this.moved = moves;
    this.paced = now;
  }

  /** @param {string} kind of lines @returns {number} how many of them are drawn now */
  drawnLinks(kind) {
    const count = this.data.links[kind].length / 2;
    return kind === "edges" && count > 500 ? Math.ceil(this.share * count) : count;
  }

  /** Where everything is. */
  project() {
    const { frame } = this;
    frame.reach = Math.min(frame.width, frame.height) / 2;
    frame.scale = Math.max(10, frame.reach - 14) * this.zoom;
    frame.inverse = frame.flat ? 0 : 1 / (frame.scale * frame.scale);
    frame.corner = Math.hypot(frame.width, frame.height) / 2 + 40;
    frame.perLength = frame.flat ? frame.scale / this.view.unit : 1;
    if (frame.spread) this.projectSpread(frame);
    else this.view.project(frame.scale, frame.xy, frame.gap);
  }

  projectSpread(frame) {
    const { spread, middle, xy, gap } = frame;
    spread.update();
    frame.perLength = frame.scale / (this.extent || spread.farthest);
    for (let i = 0; i < gap.length; i++) {
      const length = frame.perLength * spread.radius[i];
      xy[2 * i] = middle.x + length * Math.cos(spread.image[i]);
      xy[2 * i + 1] = middle.y - length * Math.sin(spread.image[i]);
      gap[i] = SPREAD_SIZE;
    }
  }

  draw() {
    const start = performance.now(), onGl = this.renderer && this.zoom <= ZOOM_OF_GL;
    this.project();
    this.paint("ground", (to) => drawGround(to, this));
    if (onGl) this.renderer.draw();
    else if (this.renderer) this.renderer.clear();
    if (!onGl || this.onFlat) this.paint("flat", (to) => !onGl && drawScene(to, this));
    this.onFlat = !onGl;
    this.refreshLabels(start);
    this.paint("over", (to) => this.labels.draw(to));
  }

  /** @param {string} name of a canvas @param {(to: CanvasRenderingContext2D) => void} draw about its middle */
  paint(name, draw) {
    const canvas = this.canvases[name], to = canvas.getContext("2d"), { ratio } = this;
    to.setTransform(1, 0, 0, 1, 0, 0);
    to.clearRect(0, 0, canvas.width, canvas.height);
    to.setTransform(ratio, 0, 0, ratio, canvas.width / 2, canvas.height / 2);
    draw(to);
  }

  /** While something moves labels are chosen now and then; and once more when it rests. */
  refreshLabels(now) {
    clearTimeout(this.rest);
    if (!this.chosenAt || now - this.chosenAt > LABELS_EVERY) {
      this.labels.choose();
      this.chosenAt = now;
      return;
    }
    this.rest = setTimeout(() => {
      this.chosenAt = 0;
      this.invalidate();
    }, LABELS_EVERY);
  }

  /** @param {number} x pixels from the middle @param {number} y downwards @param {number} within @returns {number} node or -1 */
  nodeAt(x, y, within) {
    const { xy, gap } = this.frame;
    let best = -1, least = Infinity;
    for (let k = this.order.length - 1; k >= 0; k--) {
      const i = this.order[k], dx = xy[2 * i] - x, dy = xy[2 * i + 1] - y, square = dx * dx + dy * dy;
      if (square >= least) continue;
      const reach = Math.max(within, shownSize(this.base[i], gap[i], this.zoom) + 3);
      if (square <= reach * reach) [best, least] = [i, square];
    }
    return best;
  }

  /** @param {number} x pixels from the middle of the window @param {number} y downwards @returns {object} a point of the space */
  pointAt(x, y) {
    const { frame } = this;
    if (!frame.spread) return this.view.pointAt(x / frame.scale, -y / frame.scale);
    const { a, image } = this.polarAt(x, y), angle = frame.spread.inverse()(image);
    return { a, x: Math.cos(angle), y: Math.sin(angle) };
  }

  /** Of the layout "spread". @param {number} x @param {number} y @returns {{a: number, image: number}} */
  polarAt(x, y) {
    const { middle, perLength } = this.frame, dx = x - middle.x, dy = middle.y - y;
    return { a: Math.hypot(dx, dy) / perLength, image: Math.atan2(dy, dx) };
  }

  /**
   * A function that moves what is at one place of the window to another.
   * @param {number} x @param {number} y @param {number} node  the one that is held, or -1
   * @returns {(x: number, y: number) => void}
   */
  grab(x, y, node) {
    if (this.frame.spread) return this.grabSpread(x, y, node);
    const move = this.view.grab(this.pointAt(x, y), node);
    return (toX, toY) => move(this.pointAt(toX, toY));
  }

  /**
   * The same in the layout "spread". What is far moves along its ray, and turns the picture; about the middle, where
   * this would spin, the space moves as in the disk. Lengths on the screen and angles are those of the beginning until
   * the drag ends, and a node that is held stays under the mouse.
   */
  grabSpread(x, y, node) {
    const { view, frame } = this, angleOf = frame.spread.inverse(), start = this.polarAt(x, y);
    const ray = (a, angle) => ({ a, x: Math.cos(angle), y: Math.sin(angle) });
    const from = node < 0 ? ray(start.a, angleOf(start.image)) : view.shown.point(node);
    this.extent = this.extent || frame.spread.farthest;
    if (from.a < NEAR) {
      const move = view.grab(from, node);
      return (toX, toY) => {
        const { a, image } = this.polarAt(toX, toY);
        move(ray(a, angleOf(image)));
        this.turnTo(node, image);
      };
    }
    const move = view.pull(from), { turn } = frame.spread;
    return (toX, toY) => {
      const { a, image } = this.polarAt(toX, toY);
      move(a);
      frame.spread.turn = turn + image - start.image;
      this.turnTo(node, image);
    };
  }

  /** Turns the layout "spread" until a node is at this angle. */
  turnTo(node, image) {
    const { spread } = this.frame;
    if (node < 0) return;
    spread.update();
    spread.turn += image - spread.image[node];
  }

  /** After a drag: the farthest node comes to the rim of the layout "spread" again. */
  letGo() {
    this.held = false;
    this.view.settle();
    const { extent, frame } = this;
    if (extent)
      this.animate((time) => {
        this.extent = time < 1 ? extent + time * (frame.spread.farthest - extent) : null;
      }, 250);
  }

  /** @param {number} x @param {number} y @param {number} factor */
  zoomAt(x, y, factor) {
    const { frame } = this, zoom = Math.min(ZOOM_MOST, Math.max(ZOOM_LEAST, this.zoom * factor)), grown = zoom / this.zoom;
    if (frame.spread) {
      const to = { x: x + (frame.middle.x - x) * grown, y: y + (frame.middle.y - y) * grown };
      const most = (frame.scale / this.zoom) * Math.max(0, zoom - 1), length = Math.hypot(to.x, to.y);
      const kept = length > most ? most / length : 1; // of the picture some is always about the middle of the window
      frame.middle = { x: kept * to.x, y: kept * to.y };
    } else this.view.zoomAbout(x / frame.scale, -y / frame.scale, grown);
    this.zoom = zoom;
    this.invalidate();
  }

  /** @param {number} x pixels to move by @param {number} y */
  moveBy(x, y) {
    const { middle } = this.frame;
    this.grab(middle.x, middle.y, -1)(middle.x + x, middle.y + y);
    this.extent = null;
    this.invalidate();
  }

  /** As `animate`, for what brings something to the middle: that of a magnified picture comes to the window's. */
  glide(step, duration) {
    const { x, y } = this.frame.middle;
    this.animate((time) => {
      step(time);
      this.frame.middle = { x: (1 - time) * x, y: (1 - time) * y };
    }, duration);
  }

  /**
   * Runs a function of the time from 0 to 1, at once where motion is not wanted.
   * @param {(time: number) => void} step @param {number} duration ms
   */
  animate(step, duration) {
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const start = performance.now(), run = {};
    this.running = run;
    const tick = (now) => {
      if (this.running !== run) return;
      const time = still ? 1 : Math.min(1, Math.max(0, (now - start) / duration));
      step(time < 0.5 ? 4 * time ** 3 : 1 - (2 - 2 * time) ** 3 / 2);
      this.invalidate();
      if (time < 1) requestAnimationFrame(tick);
      else this.halt();
    };
    if (still) tick(start);
    else requestAnimationFrame(tick);
  }

  /** Ends what moves by itself. */
  halt() {
    this.running = null;
    if (this.extent) this.invalidate();
    this.extent = null;
    if (this.share < 1) this.invalidate();
  }

  /** @param {number} node  moves to the middle */
  centre(node) {
    this.glide(this.view.approach(node), 650);
  }

  /** The view of the beginning. */
  home() {
    this.halt();
    this.zoom = 1;
    this.frame.middle = { x: 0, y: 0 };
    this.view.home();
    if (this.made) this.made.turn = 0;
    this.invalidate();
  }
}
