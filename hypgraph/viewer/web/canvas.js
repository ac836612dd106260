/* Everything on a two-dimensional canvas: where WebGL is absent, at high zoom, and for pictures. */

const FONT = 'system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "Liberation Sans", Arial, sans-serif';
const SPREAD_MARGIN = 10; // pixels of the ground around the layout "spread"
const SPREAD_NOTE = "Not the Poincaré disk: radii are true distances from the middle; angles are spread out.";
const CIRCLE_FILL = 0.06, CIRCLE_LINE = 0.3; // how much of the ground a circle of σ covers

/** @param {CanvasRenderingContext2D} to @param {Scene} scene  the disk and its rings */
function drawGround(to, scene) {
  const { frame, theme } = scene, { x, y } = frame.middle;
  if (!frame.flat) {
    disc(to, x, y, frame.scale + (frame.spread ? SPREAD_MARGIN : 0));
    to.fillStyle = theme.disk;
    to.fill();
  }
  if (scene.shows.rings) drawRings(to, frame, theme);
  if (frame.flat || frame.spread) return; // without a boundary
  disc(to, 0, 0, frame.scale);
  to.strokeStyle = theme.boundary;
  to.lineWidth = 1.25;
  to.stroke();
}

/** @param {CanvasRenderingContext2D} to @param {number} x @param {number} y @param {number} radius */
function disc(to, x, y, radius) {
  to.beginPath();
  to.arc(x, y, radius, 0, 2 * Math.PI);
}

function drawRings(to, frame, theme) {
  const { middle } = frame;
  to.font = `11px ${FONT}`;
  to.textAlign = "center";
  to.textBaseline = "middle";
  for (const { length, radius } of rings(frame)) {
    disc(to, middle.x, middle.y, radius);
    to.strokeStyle = theme.ring;
    to.lineWidth = 1;
    to.stroke();
    const text = short(length), side = radius * Math.SQRT1_2, width = to.measureText(text).width + 6;
    const x = middle.x + side, y = middle.y + side;
    to.fillStyle = frame.flat ? theme.background : theme.disk;
    to.fillRect(x - width / 2, y - 7, width, 14);
    to.fillStyle = theme.ringText;
    to.fillText(text, x, y);
  }
}

/** @param {CanvasRenderingContext2D} to @param {Scene} scene */
function drawScene(to, scene) {
  if (scene.showsCircles()) drawCircles(to, scene);
  for (const kind of scene.shownLinks()) drawLinks(to, scene, kind);
  drawNodes(to, scene);
}

function drawCircles(to, { data, frame, theme }) {
  to.strokeStyle = theme.sigma;
  to.fillStyle = theme.sigma;
  to.lineWidth = 1;
  for (let i = 0; i < data.count; i++) {
    const { x, y, radius } = circleAbout(frame, i, data.scale[i] * frame.rootC);
    if (radius < 0.5 || Math.hypot(x, y) - radius > frame.corner) continue;
    disc(to, x, y, radius);
    to.globalAlpha = CIRCLE_FILL;
    to.fill();
    to.globalAlpha = CIRCLE_LINE;
    to.stroke();
  }
  to.globalAlpha = 1;
}

function drawLinks(to, scene, kind) {
  const { frame, theme } = scene, pairs = scene.data.links[kind], style = LINKS[kind];
  const batch = kind === "predicted" ? 2 : 256; // one path of all lines would be slow, one a line slower
  const last = 2 * scene.drawnLinks(kind), lengths = frame.spread && scene.lengths(kind);
  const pieces = spreadPieces(pairs.length / 2);
  to.strokeStyle = theme[kind === "edges" ? "edge" : kind];
  to.lineWidth = style.width;
  to.setLineDash(style.dash);
  const alpha = linkAlpha(kind, pairs.length / 2);
  for (let from = 0; from < last; from += batch) {
    to.beginPath();
    to.globalAlpha = kind === "predicted" ? alpha * scene.certainty(from / 2) : alpha;
    for (let k = from; k < Math.min(from + batch, last); k += 2) {
      if (lengths) {
        tracePoints(to, spreadCurve(frame, pairs[k], pairs[k + 1], lengths[k / 2], pieces));
        continue;
      }
      const arc = geodesic(frame, pairs[k], pairs[k + 1]);
      if (isOutside(arc, frame.corner)) continue;
      to.moveTo(arc.x1, arc.y1);
      traceArc(to, arc);
    }
    to.stroke();
  }
  to.setLineDash([]);
  to.globalAlpha = 1;
}

/** An arc of less than half a circle stays in the circle about its chord. @returns {boolean} whether that is hidden */
function isOutside({ x1, y1, x2, y2 }, corner) {
  const half = Math.hypot(x2 - x1, y2 - y1) / 2;
  return half < 0.05 || Math.hypot(x1 + x2, y1 + y2) / 2 - half > corner;
}

/** @param {CanvasRenderingContext2D} to @param {Float64Array} points x and y of each */
function tracePoints(to, points) {
  to.moveTo(points[0], points[1]);
  for (let k = 2; k < points.length; k += 2) to.lineTo(points[k], points[k + 1]);
}

function traceArc(to, arc) {
  if (arc.radius === 0) {
    to.lineTo(arc.x2, arc.y2);
    return;
  }
  const from = Math.atan2(arc.y1 - arc.y, arc.x1 - arc.x), until = Math.atan2(arc.y2 - arc.y, arc.x2 - arc.x);
  to.arc(arc.x, arc.y, arc.radius, from, until, arc.left);
}

function drawNodes(to, { data, frame, theme, rgba, base, order, zoom }) {
  to.strokeStyle = theme.outline;
  to.lineWidth = data.count > 3000 ? 0.5 : 1;
  for (let k = 0; k < data.count; k++) {
    const i = order[k], x = frame.xy[2 * i], y = frame.xy[2 * i + 1];
    if (Math.abs(x) > frame.corner || Math.abs(y) > frame.corner) continue;
    disc(to, x, y, shownSize(base[i], frame.gap[i], zoom));
    to.globalAlpha = rgba[4 * i + 3] / 255;
    to.fillStyle = `rgb(${rgba[4 * i]},${rgba[4 * i + 1]},${rgba[4 * i + 2]})`;
    to.fill();
    to.stroke();
  }
  to.globalAlpha = 1;
}
