/* Names beside the nodes that matter most, none over another; and the rings about the nodes in question. */

const CANDIDATES = 70, MOST_LABELS = 34, LONGEST = 28;

/** @param {string} text @returns {string} not so long that it hides others */
function shortened(text) {
  const marks = Array.from(text);
  return marks.length > LONGEST ? marks.slice(0, LONGEST - 1).join("") + "…" : text;
}

/** Chooses the nodes to name, and draws their names. */
class Labels {
  /** @param {Scene} scene */
  constructor(scene) {
    this.scene = scene;
    this.chosen = new Int32Array(CANDIDATES);
    this.scores = new Float64Array(CANDIDATES);
    this.count = 0;
    this.boxes = new Float64Array(4 * (MOST_LABELS + 4));
    this.widths = new Map();
  }

  /** The nodes of many edges, near the middle, on the screen: the best few by insertion. */
  choose() {
    const { data, frame } = this.scene, { xy, gap, width, height } = frame;
    this.count = 0;
    for (let i = 0; i < data.count; i++) {
      if (Math.abs(xy[2 * i]) > width / 2 || Math.abs(xy[2 * i + 1]) > height / 2 || gap[i] < 0.02) continue;
      const size = data.degree ? Math.log1p(data.degree[i]) : 0;
      this.insert(i, 0.6 * size + Math.log(gap[i]) - Math.hypot(xy[2 * i], xy[2 * i + 1]) / frame.reach);
    }
  }

  insert(node, score) {
    if (this.count === CANDIDATES && score <= this.scores[CANDIDATES - 1]) return;
    let k = Math.min(this.count, CANDIDATES - 1);
    for (; k > 0 && this.scores[k - 1] < score; k--) {
      this.scores[k] = this.scores[k - 1];
      this.chosen[k] = this.chosen[k - 1];
    }
    this.scores[k] = score;
    this.chosen[k] = node;
    this.count = Math.min(this.count + 1, CANDIDATES);
  }

  /** @param {CanvasRenderingContext2D} to */
  draw(to) {
    const { shows, selected, hovered } = this.scene;
    this.placed = 0;
    to.textBaseline = "middle";
    to.textAlign = "left";
    to.lineJoin = "round";
    for (const node of new Set([selected, hovered])) if (node >= 0) this.drawMarked(to, node);
    if (!shows.names) return;
    for (let k = 0; k < this.count && this.placed < MOST_LABELS; k++)
      if (this.chosen[k] !== selected && this.chosen[k] !== hovered) this.drawName(to, this.chosen[k], false);
  }

  /** A ring about the node, and its name whatever it hides. */
  drawMarked(to, node) {
    const { frame, theme, base, zoom, selected } = this.scene;
    const radius = shownSize(base[node], frame.gap[node], zoom) + 4;
    disc(to, frame.xy[2 * node], frame.xy[2 * node + 1], radius);
    to.strokeStyle = theme.halo;
    to.lineWidth = 4.5;
    to.stroke();
    to.strokeStyle = theme.accent;
    to.lineWidth = node === selected ? 2.25 : 1.5;
    to.stroke();
    this.drawName(to, node, true);
  }

  drawName(to, node, marked) {
    const { frame, theme, base, zoom, data } = this.scene, text = shortened(data.ids[node]);
    const size = marked ? 13 : 11.5;
    to.font = `${marked ? 600 : 400} ${size}px ${FONT}`;
    const width = this.width(to, text, marked), gap = shownSize(base[node], frame.gap[node], zoom) + (marked ? 8 : 4);
    const right = frame.xy[2 * node] + gap + width < frame.width / 2;
    const x = frame.xy[2 * node] + (right ? gap : -gap - width), y = frame.xy[2 * node + 1];
    if (!this.reserve(x - 2, y - size / 2 - 1, x + width + 2, y + size / 2 + 1) && !marked) return;
    to.strokeStyle = theme.halo;
    to.lineWidth = 3.5;
    to.globalAlpha = 0.9;
    to.strokeText(text, x, y);
    to.globalAlpha = 1;
    to.fillStyle = theme.text;
    to.fillText(text, x, y);
  }

  width(to, text, marked) {
    const key = (marked ? "1" : "0") + text;
    if (this.widths.size > 4000) this.widths.clear();
    if (!this.widths.has(key)) this.widths.set(key, to.measureText(text).width);
    return this.widths.get(key);
  }

  /** @returns {boolean} whether the box was free; it is taken then */
  reserve(left, top, right, bottom) {
    const { boxes, placed } = this;
    for (let k = 0; k < 4 * placed; k += 4)
      if (left < boxes[k + 2] && right > boxes[k] && top < boxes[k + 3] && bottom > boxes[k + 1]) return false;
    boxes.set([left, top, right, bottom], 4 * placed);
    this.placed += 1;
    return true;
  }
}
