/* Mouse, touch and keyboard on the picture. */

const CLICK = 4; // pixels that a click may move
const HOVER = 12, STEP = 60; // pixels about a node; pixels of an arrow key
const ZOOM_KEY = 1.25;

class Controls {
  /** @param {Scene} scene @param {{select: (node: number) => void, centre: (node: number) => void, toggleLayout: () => void}} actions */
  constructor(scene, actions) {
    this.scene = scene;
    this.actions = actions;
    this.canvas = scene.canvases.over;
    this.pointers = new Map();
    const on = (name, act) => this.canvas.addEventListener(name, act, { passive: false });
    on("pointerdown", (event) => this.press(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.release(event));
    on("pointercancel", (event) => this.release(event));
    on("pointerleave", () => this.hover(-1));
    on("dblclick", (event) => this.centreAt(event));
    on("wheel", (event) => this.wheel(event));
    window.addEventListener("keydown", (event) => this.key(event));
    part("zoom-in").addEventListener("click", () => scene.zoomAt(0, 0, ZOOM_KEY));
    part("zoom-out").addEventListener("click", () => scene.zoomAt(0, 0, 1 / ZOOM_KEY));
    part("home").addEventListener("click", () => scene.home());
  }

  /** @param {MouseEvent} event @returns {number[]} pixels from the middle, y downwards */
  place(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
  }

  press(event) {
    if (event.button !== 0) return;
    const [x, y] = this.place(event), { scene } = this;
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, [x, y]);
    scene.halt();
    this.hover(-1);
    if (this.pointers.size > 1) {
      this.drag = null;
      return;
    }
    const node = scene.nodeAt(x, y, HOVER), { xy } = scene.frame;
    const off = node < 0 ? [0, 0] : [xy[2 * node] - x, xy[2 * node + 1] - y];
    this.drag = { x, y, node, off, moved: false, move: null };
  }

  move(event) {
    const [x, y] = this.place(event), { scene, drag } = this;
    if (this.pointers.size > 1 && this.pointers.has(event.pointerId)) return this.pinch(event.pointerId, x, y);
    if (!drag) return this.hover(event.pointerType === "touch" ? -1 : scene.nodeAt(x, y, HOVER));
    if (!drag.moved && Math.hypot(x - drag.x, y - drag.y) < CLICK) return undefined;
    if (!drag.moved) {
      drag.moved = scene.held = true;
      drag.move = scene.grab(drag.x, drag.y, drag.node);
      this.canvas.classList.add("dragging");
    }
    drag.move(x + drag.off[0], y + drag.off[1]);
    return scene.invalidate();
  }

  /** Two fingers: the distance between them zooms, about their middle. */
  pinch(id, x, y) {
    const [other] = [...this.pointers].filter(([key]) => key !== id).map(([, at]) => at), old = this.pointers.get(id);
    const before = Math.hypot(old[0] - other[0], old[1] - other[1]), after = Math.hypot(x - other[0], y - other[1]);
    this.pointers.set(id, [x, y]);
    if (before > 0 && after > 0) this.scene.zoomAt((x + other[0]) / 2, (y + other[1]) / 2, after / before);
  }

  release(event) {
    this.pointers.delete(event.pointerId);
    this.canvas.classList.remove("dragging");
    const { drag } = this;
    this.drag = null;
    this.scene.held = false;
    this.scene.invalidate();
    if (!drag) return;
    if (drag.moved) this.scene.letGo();
    else if (event.type === "pointerup") this.actions.select(drag.node);
  }

  centreAt(event) {
    const [x, y] = this.place(event), { scene } = this, node = scene.nodeAt(x, y, HOVER);
    if (node >= 0) return this.actions.centre(node);
    const from = scene.pointAt(x, y), move = scene.view.grab(from, -1);
    return scene.glide((time) => {
      const rest = 1 - time;
      move(scene.frame.flat ? { x: rest * from.x, y: rest * from.y } : { ...from, a: rest * from.a });
    }, 450);
  }

  wheel(event) {
    event.preventDefault();
    const [x, y] = this.place(event), lines = event.deltaMode === 1 ? 16 : 1;
    this.scene.halt();
    this.scene.zoomAt(x, y, Math.exp(-Math.max(-300, Math.min(300, lines * event.deltaY)) * 0.0016));
    this.hover(-1);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target instanceof HTMLElement && event.target.matches("input[type=search], select");
    if (event.key === "Escape") return this.escape();
    if (typing) return undefined;
    const act = this.keys()[event.key];
    if (!act) return undefined;
    event.preventDefault();
    this.scene.halt();
    return act();
  }

  /** @returns {Object<string, () => void>} */
  keys() {
    const { scene } = this, move = (x, y) => () => scene.moveBy(x, y);
    const nearer = () => scene.zoomAt(0, 0, ZOOM_KEY), further = () => scene.zoomAt(0, 0, 1 / ZOOM_KEY);
    return {
      ArrowLeft: move(STEP, 0), ArrowRight: move(-STEP, 0), ArrowUp: move(0, STEP), ArrowDown: move(0, -STEP),
      "+": nearer, "=": nearer, "-": further, "_": further,
      "/": () => part("search").focus(),
      Home: () => scene.home(),
      l: () => this.actions.toggleLayout(),
      c: () => this.scene.data.count && this.actions.centre(scene.view.nearest()),
    };
  }

  escape() {
    this.scene.halt();
    this.hover(-1);
    this.actions.select(-1);
  }

  /** @param {number} node  the card beside it, or none */
  hover(node) {
    const { scene } = this, card = part("card");
    if (node === scene.hovered) return;
    scene.hovered = node;
    this.canvas.classList.toggle("on-node", node >= 0);
    card.hidden = node < 0;
    if (node >= 0) this.fillCard(card, node);
    scene.invalidate();
  }

  fillCard(card, node) {
    const { scene } = this, { xy, width, height } = scene.frame;
    card.replaceChildren(...detailsOf(scene, node, null));
    const x = xy[2 * node] + width / 2, y = xy[2 * node + 1] + height / 2;
    const left = x + 18 + card.offsetWidth < width ? x + 18 : Math.max(4, x - 18 - card.offsetWidth);
    card.style.left = `${left}px`;
    card.style.top = `${Math.max(4, Math.min(height - card.offsetHeight - 4, y - 20))}px`;
  }
}
